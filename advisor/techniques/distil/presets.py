"""Named ways of training a student, from knowledge/distillation.yaml."""

from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from advisor.errors import KnowledgeError, nearest
from advisor.resources import data_dir, read_record
from advisor.schema.base import Record
from advisor.techniques.knowledge import Origin

USUAL = "survey"


class Preset(Record):
    """Settings of one training from nothing with a teacher."""

    temperature: float = Field(gt=0)
    alpha: float = Field(ge=0, le=1)
    optimizer: Literal["sgd", "adam", "adamw"]
    learning_rate: float = Field(gt=0)
    weight_decay: float = Field(ge=0)
    batch: int = Field(ge=2)
    epochs: int = Field(ge=1)
    source: str


class Presets(Record):
    """The file: presets by name, each resting on a source that it names."""

    sources: dict[str, Origin]
    presets: dict[str, Preset]

    @model_validator(mode="after")
    def _sources_are_known(self) -> "Presets":
        for name, entry in self.presets.items():
            if entry.source not in self.sources:
                raise ValueError(f"{name} names no known source: {entry.source!r}")
        return self


@cache
def load_presets(path: Path | None = None) -> dict[str, Preset]:
    """Return the presets by name."""
    return read_record(path or data_dir("knowledge") / "distillation.yaml", Presets).presets


def preset(name: str = USUAL) -> Preset:
    """Return the preset of this name."""
    known = load_presets()
    if name not in known:
        raise KnowledgeError(
            f"unknown preset {name!r}", remedy=nearest(name, known) or f"Known: {', '.join(sorted(known))}"
        )
    return known[name]
