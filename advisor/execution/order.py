"""What was asked for, and what the steps left: the two values that the parts of `apply` hand on."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from advisor import runtimes
from advisor.runtimes import Placement
from advisor.schema import (
    Artefact,
    Device,
    Estimate,
    ExecPath,
    Gain,
    Metric,
    Plan,
    Preview,
    PreviewCheck,
    SearchRecord,
    StepRecord,
)

from .journal import Header
from .trials import Pair

if TYPE_CHECKING:
    from advisor.loading import LoadedModel


@dataclass(frozen=True)
class Order:
    """Everything that was asked for and predicted."""

    plan: Plan
    loaded: "LoadedModel"
    device: Device
    predicted: dict[Metric, Estimate]
    predicted_here: dict[Metric, Estimate]
    gains_here: dict[Metric, Gain]
    preview: Preview
    candidate: int | None
    seed: int
    header: Header

    @property
    def on_this_machine(self) -> bool:
        """Whether the target is the machine that measures, in the runtime of the plan."""
        return self.device.id == "host" and self.plan.runtime in runtimes.names() and self.plan.unit == "cpu"

    @property
    def path(self) -> ExecPath | None:
        """The execution path that the plan names."""
        return self.device.path(self.plan.runtime, self.plan.unit)


@dataclass(frozen=True)
class Made:
    """What the steps left in the run directory; `float_file` is what other converters start from."""

    pair: Pair
    artefacts: tuple[Artefact, ...]
    float_file: Path
    steps: tuple[StepRecord, ...]
    checks: tuple[PreviewCheck, ...]
    resolved: Plan
    placement: Placement  # of the shipped file's operations
    search: SearchRecord | None = None
