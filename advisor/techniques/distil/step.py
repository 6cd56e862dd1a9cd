"""Knowledge distillation into a smaller student."""

from typing import Any, ClassVar

from pydantic import Field, model_validator

from advisor.schema import Step

from .presets import USUAL, preset


class Distil(Step):
    """Train a smaller architecture with the original as teacher. What a plan does not set comes from the preset."""

    technique: ClassVar[str] = "distil"
    student: str  # timm:NAME
    size: int | None = Field(default=None, ge=32, multiple_of=32)  # side of its image; None: as it was published
    preset: str = USUAL
    temperature: float = Field(default_factory=lambda: preset().temperature, gt=0)
    alpha: float = Field(default_factory=lambda: preset().alpha, ge=0, le=1)  # weight of the teacher's term
    learning_rate: float = Field(default_factory=lambda: preset().learning_rate, gt=0)
    weight_decay: float = Field(default_factory=lambda: preset().weight_decay, ge=0)
    batch: int = Field(default_factory=lambda: preset().batch, ge=2)
    epochs: int = Field(default_factory=lambda: preset().epochs, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _as_the_preset_says(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not isinstance(name := given.get("preset", USUAL), str):
            return given
        usual = preset(name).model_dump(include=cls.model_fields.keys() - {"student", "size", "preset"})
        return {**usual, "preset": name, **given}

    @property
    def label(self) -> str:
        """Name shown to people."""
        return f"distil into {self.student.removeprefix('timm:')}" + (f" at {self.size} px" if self.size else "")
