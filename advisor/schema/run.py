"""The record of carrying a plan out: what was done, what came out, what was measured, what was predicted."""

from typing import Any

from .base import Record
from .estimate import Estimate, Gain, GainVerdict, Measurement, Metric, Verdict
from .plan import Plan
from .recommendation import Preview
from .search import SearchRecord


class Artefact(Record):
    """A file that was produced; `file` is relative to the run directory."""

    role: str  # shipped | baseline | weights | preprocessing | recipe | plan | card
    file: str
    format: str  # onnx | safetensors | json | md
    bytes: int
    sha256: str
    precision: str = "fp32"


class StepRecord(Record):
    """One step as it was carried out."""

    technique: str
    settings: dict[str, Any]
    seconds: float
    done: str  # what was done, in one sentence
    details: dict[str, Any] = {}
    resolved: dict[str, Any] | None = None  # settings with what weights and data decided, where they are not `settings`


class PreviewCheck(Record):
    """The preview against the profile of the real compressed model."""

    quantity: str  # macs | params
    previewed: int
    actual: int
    note: str = ""

    @property
    def agrees(self) -> bool:
        """Whether both are equal."""
        return self.previewed == self.actual


class DataRecord(Record):
    """Which images played which part; the splits are disjoint."""

    origin: str  # in the words of --data: a path, torchvision:NAME, python:MODULE:FUNCTION ...
    form: str = "folder"  # folder | list | npz | torchvision | timm | python
    task: str = "classification"
    metric: str = "top-1"
    unit: str = "%"
    classes: tuple[str, ...]
    train: int
    selection: int = 0  # images that choose epochs and settings
    calibration: int
    test: int
    digest: str  # over names, labels and contents; of files the content is their size


class RunRecord(Record):
    """Everything about one `apply`, stored as run.json in the run directory."""

    version: int = 1
    engine: str
    created: str
    model: str
    model_spec: dict[str, Any] = {}
    model_digest: str = ""  # SHA-256 of the original's weights
    device: str
    on_this_machine: bool  # the target is the machine that measured
    plan: Plan
    search: SearchRecord | None = None  # how the settings were found, where a limit of accuracy was given
    resolved: Plan | None = None  # the plan with what weights and data decided filled in, where that differs
    candidate: int | None = None
    predicted: dict[Metric, Estimate]
    predicted_here: dict[Metric, Estimate] = {}  # the same predictions for this machine
    gains_here: dict[Metric, Gain] = {}  # predicted for this machine against the unchanged model in the same runtime
    preview: Preview
    checks: tuple[PreviewCheck, ...] = ()
    steps: tuple[StepRecord, ...] = ()
    artefacts: tuple[Artefact, ...] = ()
    data: DataRecord | None = None
    accuracy: dict[str, float] = {}  # top-1 in percent: original, shipped
    measurements: tuple[Measurement, ...] = ()
    verdicts: tuple[Verdict, ...] = ()
    gain_verdicts: tuple[GainVerdict, ...] = ()
    recipe: tuple[str, ...] = ()  # commands for the target
    environment: dict[str, str] = {}
    seed: int = 0
    notes: tuple[str, ...] = ()

    @property
    def done(self) -> Plan:
        """The plan as it was carried out."""
        return self.resolved or self.plan
