"""Knowledge distillation into a smaller student."""

from typing import Any, ClassVar

from pydantic import Field, model_validator

from advisor.schema import Step

from .presets import USUAL, Objective, Parts, Teaching, preset, preset_for


class Distil(Step):
    """Train a smaller architecture with the original as teacher. What a plan does not set comes from the preset.

    Without a preset it is the one of the objective, and the survey's where that is not given either. `weights` are what
    the student starts from: "random", "pretrained" (those that timm publishes) or the path of a file.
    """

    technique: ClassVar[str] = "distil"
    student: str  # timm:NAME
    size: int | None = Field(default=None, ge=32, multiple_of=32)  # side of its image; None: as it was published
    weights: str = Field(default="random", min_length=1)
    preset: str = USUAL
    objective: Objective = Field(default_factory=lambda: preset().objective)
    temperature: float = Field(default_factory=lambda: preset().temperature, gt=0)
    alpha: float = Field(default_factory=lambda: preset().alpha, ge=0, le=1)  # weight of the teacher's term
    scale: float = Field(default_factory=lambda: preset().scale, gt=0)  # what that term is multiplied by
    parts: Parts = Field(default_factory=lambda: preset().parts)  # weights of its halves, where it has two
    learning_rate: float = Field(default_factory=lambda: preset().learning_rate, gt=0)
    weight_decay: float = Field(default_factory=lambda: preset().weight_decay, ge=0)
    batch: int = Field(default_factory=lambda: preset().batch, ge=2)
    epochs: int = Field(default_factory=lambda: preset().epochs, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _as_the_preset_says(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        wanted = given.get("objective")
        name = given.get("preset", preset_for(wanted) if isinstance(wanted, str) else USUAL)
        if not isinstance(name, str):
            return given
        usual = preset(name).model_dump(include=cls.model_fields.keys() - {"student", "size", "weights", "preset"})
        return {**usual, "preset": name, **given}

    @property
    def teaching(self) -> Teaching:
        """What the student is to share with its teacher."""
        return Teaching.model_validate(self.model_dump(include=set(Teaching.model_fields)))

    @property
    def label(self) -> str:
        """Name shown to people."""
        how = "" if self.objective == preset().objective else f" by {self.objective.replace('_', ' ')}"
        return f"distil into {self.student.removeprefix('timm:')}{how}" + (f" at {self.size} px" if self.size else "")
