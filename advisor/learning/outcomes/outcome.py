"""One outcome: what was predicted for a plan, what was measured, on what, by which versions."""

import hashlib
import json
from datetime import datetime
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from advisor.schema import Metric, Record

FORMAT = 1
_IDENTITY = {"device", "machine", "model_digest", "network", "techniques", "runtime", "threads"}
_MEASURED = {"metric", "measured", "measured_low", "measured_high"}


class Figure(Record):
    """One metric of one artefact: the interval as it was shown, as the predictor gave it, and what was measured.

    `hit` is None where the two cannot be compared: the measurement is inconclusive, or the prediction was for another
    device.
    """

    metric: Metric
    basis: str = ""
    predictor: str = ""
    low: float | None = Field(default=None, allow_inf_nan=False)
    mid: float | None = Field(default=None, allow_inf_nan=False)
    high: float | None = Field(default=None, allow_inf_nan=False)
    raw: tuple[float, float, float] | None = None  # low, mid, high before earlier outcomes moved them
    figures: str = ""  # version of what the prediction rests on (prediction.figures.figures_version)
    measured: float = Field(allow_inf_nan=False)
    measured_low: float = Field(allow_inf_nan=False)
    measured_high: float = Field(allow_inf_nan=False)
    conclusive: bool = True
    note: str = ""  # what is wrong with the measurement
    hit: bool | None = None
    cause: str = ""
    rules: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _ordered(self) -> "Figure":
        known = [v for v in (self.low, self.mid, self.high) if v is not None]
        if known != sorted(known) or (self.raw is not None and list(self.raw) != sorted(self.raw)):
            raise ValueError(f"low <= mid <= high does not hold for {self.metric}")
        if self.measured_low > self.measured_high:
            raise ValueError(f"the measured interval of {self.metric} ends before it begins")
        return self

    @property
    def before(self) -> tuple[float, float, float] | None:
        """The predictor's own interval, None where nothing was predicted."""
        if self.raw is not None:
            return self.raw
        if self.low is None or self.mid is None or self.high is None:
            return None
        return self.low, self.mid, self.high


class Effect(Record):
    """What a rule promised of this plan and what was seen: a ratio baseline over candidate, or points of accuracy."""

    rule: str
    certainty: str
    claim: str
    seen: float = Field(allow_inf_nan=False)
    held: bool


class Outcome(Record):
    """What came of one plan. `device` is what measured: a profile's id, or 'host' with the processor as `machine`."""

    version: int = Field(default=FORMAT, ge=1, le=FORMAT)
    id: str = Field(default="", max_length=64)
    recorded: str  # ISO 8601, UTC
    by: Literal["apply", "verify"]
    elsewhere: bool = False  # imported
    device: str = Field(min_length=1)
    machine: str = ""
    target: str = ""  # the device that the plan was made for
    model: str = ""
    model_digest: str = ""
    network: str = ""  # of what the plan left (prediction.seen.network_key)
    techniques: tuple[str, ...] = ()
    steps: tuple[dict[str, Any], ...] = ()
    precision: str = "fp32"
    runtime: str  # with its unit: onnxruntime/cpu
    runtime_version: str = ""
    threads: int = Field(default=1, ge=1)
    random_weights: bool = False
    accuracy_metric: str = ""
    figures: tuple[Figure, ...] = ()
    unchanged: tuple[Figure, ...] = ()  # of the unchanged model in the same runtime, measured beside
    effects: tuple[Effect, ...] = ()
    environment: dict[str, str] = {}  # load, clock policy, throttling
    engine: str = ""
    knowledge: str = ""

    @field_validator("recorded")
    @classmethod
    def _is_a_time(cls, text: str) -> str:
        if datetime.fromisoformat(text).tzinfo is None:
            raise ValueError("a time without its zone")
        return text

    @property
    def form(self) -> str:
        """Techniques joined by '+', 'none' for the runtime alone."""
        return "+".join(self.techniques) or "none"

    def named(self) -> "Outcome":
        """Return the outcome with its id: the digest of what was measured on what, whatever was predicted of it.

        So a run that is recorded again, when predictions have learnt from it already, is the same outcome.
        """
        content = self.model_dump(mode="json", include=_IDENTITY)
        figures = [figure.model_dump(mode="json", include=_MEASURED) for figure in self.figures]
        text = json.dumps([content, figures], sort_keys=True, ensure_ascii=False)
        return self.model_copy(update={"id": hashlib.sha256(text.encode()).hexdigest()[:32]})
