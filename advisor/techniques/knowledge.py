"""What techniques need, cost and go with: knowledge/techniques.yaml, read and checked."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from advisor.resources import data_dir, read_record
from advisor.schema import BUDGETS, Budget, Plan, Step
from advisor.schema.base import Record


class Origin(Record):
    """Where a statement comes from."""

    what: str
    where: str


class Effort(Record):
    """Effort in full trainings of the original."""

    low: float = Field(ge=0)
    mid: float = Field(ge=0)
    high: float = Field(ge=0)
    source: str

    @model_validator(mode="after")
    def _ordered(self) -> "Effort":
        if not self.low <= self.mid <= self.high:
            raise ValueError("low <= mid <= high does not hold")
        return self


class TechniqueEntry(Record):
    """One technique. `untrained` is what it needs with epochs = 0; `settings` are what its proposals try.

    `module`: it changes the torch module, so that an ONNX file alone is not enough to carry it out.
    """

    title: str
    stage: str
    needs: Budget
    untrained: Budget | None = None
    module: bool = False
    effort: Effort
    excludes: tuple[str, ...] = ()
    settings: dict[str, tuple[float | str, ...]] = {}

    def figures(self, key: str) -> tuple[float, ...]:
        """Return the numeric settings under this key."""
        return tuple(float(value) for value in self.settings.get(key, ()))


class Alignment(Record):
    """Multiples that widths and ranks are rounded to where a path does not state its own."""

    default: int
    int8_tensor_cores: int
    npu: int
    source: str


class CombinationLimits(Record):
    """How many plans are made, and how many proposals of each member enter pairs and triples."""

    plans: int = Field(ge=3)
    leading_in_pairs: int = Field(ge=1)
    leading_in_triples: int = Field(ge=1)


class TechniqueKnowledge(Record):
    """The whole file."""

    sources: dict[str, Origin]
    stages: tuple[str, ...]
    techniques: dict[str, TechniqueEntry]
    combinations: tuple[tuple[str, ...], ...]
    limits: CombinationLimits
    alignment: Alignment

    @model_validator(mode="after")
    def _consistent(self) -> "TechniqueKnowledge":
        for name, entry in self.techniques.items():
            if entry.stage not in self.stages:
                raise ValueError(f"{name}: unknown stage {entry.stage!r}")
            if entry.effort.source not in self.sources:
                raise ValueError(f"{name}: unknown source {entry.effort.source!r}")
            unknown = set(entry.excludes) - self.techniques.keys()
            if unknown:
                raise ValueError(f"{name}: excludes unknown techniques {sorted(unknown)}")
        for row in self.combinations:
            reason = self.objection(row)
            if reason:
                raise ValueError(f"combination {list(row)}: {reason}")
        return self

    def objection(self, names: Sequence[str]) -> str:
        """Return why these techniques cannot follow each other in this order, or an empty string."""
        unknown = [name for name in names if name not in self.techniques]
        if unknown:
            return f"unknown technique {unknown[0]!r}"
        for i, first in enumerate(names):
            for second in names[i + 1 :]:
                a, b = self.techniques[first], self.techniques[second]
                if second in a.excludes or first in b.excludes or a.stage == b.stage:
                    return f"{first} and {second} exclude each other"
                if self.stages.index(a.stage) > self.stages.index(b.stage):
                    return f"{second} comes before {first}"
        return ""


@cache
def load_techniques(path: Path | None = None) -> TechniqueKnowledge:
    """Read and check the file; `path` replaces the shipped one."""
    return read_record(path or data_dir("knowledge") / "techniques.yaml", TechniqueKnowledge)


def _untrained(step: Step) -> bool:
    return getattr(step, "epochs", None) == 0


def plan_needs(plan: Plan) -> Literal["none", "calibration", "finetune", "train"]:
    """Return the largest effort that any step needs."""
    entries = load_techniques().techniques
    ranks = [0]
    for step in plan.steps:
        entry = entries[step.technique]
        needed = entry.untrained if _untrained(step) and entry.untrained else entry.needs
        ranks.append(BUDGETS.index(needed))
    return BUDGETS[max(ranks)]


def plan_effort(plan: Plan) -> float:
    """Return the effort of all steps in full trainings (the middle figures); steps without epochs cost nothing."""
    entries = load_techniques().techniques
    return sum(0.0 if _untrained(step) else entries[step.technique].effort.mid for step in plan.steps)
