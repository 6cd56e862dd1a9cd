"""Named ways of teaching a network, from knowledge/distillation.yaml."""

from functools import cache
from pathlib import Path
from typing import Annotated, Literal, TypeVar, get_args

from pydantic import Field, model_validator

from advisor.errors import KnowledgeError, nearest
from advisor.resources import data_dir, read_record
from advisor.schema.base import Record
from advisor.techniques.knowledge import Origin

Objective = Literal["response", "decoupled", "standardised", "hint", "attention", "relation", "hard_label"]
OBJECTIVES: tuple[Objective, ...] = get_args(Objective)
Weight = Annotated[float, Field(ge=0)]
Parts = tuple[Weight, Weight]
USUAL = "survey"
USUAL_RECOVERY = "usual"


class Teaching(Record):
    """What a network is to share with its teacher: (1 - alpha) x labels + alpha x scale x term of the objective."""

    objective: Objective = "response"
    temperature: float = Field(gt=0)
    alpha: float = Field(ge=0, le=1)
    scale: float = Field(default=1.0, gt=0)
    parts: Parts = (1.0, 1.0)  # weights of the halves of a term that has two


_Kind = TypeVar("_Kind", bound=Teaching)


class Recovery(Teaching):
    """How the original helps to recover what a step lost."""

    source: str


class Preset(Teaching):
    """Settings of one training from nothing with a teacher."""

    optimizer: Literal["sgd", "adam", "adamw"]
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    batch: int = Field(ge=2)
    epochs: int = Field(ge=1)
    source: str


T = TypeVar("T", bound=Teaching)


class Presets(Record):
    """The file: presets by name, each resting on a source that it names."""

    sources: dict[str, Origin]
    presets: dict[str, Preset]
    recovery: dict[str, Recovery] = {}

    @model_validator(mode="after")
    def _sources_are_known(self) -> "Presets":
        named = {name: entry.source for name, entry in self.presets.items()}
        named |= {f"recovery {name}": entry.source for name, entry in self.recovery.items()}
        for name, source in named.items():
            if source not in self.sources:
                raise ValueError(f"{name} names no known source: {source!r}")
        return self


@cache
def _read(path: Path | None = None) -> Presets:
    return read_record(path or data_dir("knowledge") / "distillation.yaml", Presets)


def load_presets(path: Path | None = None) -> dict[str, Preset]:
    """Return the presets by name."""
    return _read(path).presets


def load_recoveries() -> dict[str, Recovery]:
    """Return the ways of recovering by name."""
    return _read().recovery


def preset(name: str = USUAL) -> Preset:
    """Return the preset of this name."""
    return _named(name, load_presets())


def recovery(name: str = USUAL_RECOVERY) -> Recovery:
    """Return the way of recovering of this name."""
    return _named(name, load_recoveries())


def preset_for(objective: str) -> str:
    """Return the preset whose objective this is, the survey's where there is none."""
    return next((name for name, entry in load_presets().items() if entry.objective == objective), USUAL)


def _named(name: str, known: dict[str, _Kind]) -> _Kind:
    if name not in known:
        raise KnowledgeError(
            f"unknown preset {name!r}", remedy=nearest(name, known) or f"Known: {', '.join(sorted(known))}"
        )
    return known[name]
