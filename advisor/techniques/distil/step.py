"""Knowledge distillation into a smaller student."""

from typing import ClassVar

from pydantic import Field

from advisor.schema import Step


class Distil(Step):
    """Train a smaller architecture with the original as teacher."""

    technique: ClassVar[str] = "distil"
    student: str  # timm:NAME
    temperature: float = Field(default=3.0, gt=0)  # the survey's case study
    alpha: float = Field(default=0.9, ge=0, le=1)  # weight of the distillation term, same source
    epochs: int = Field(default=100, ge=1)

    @property
    def label(self) -> str:
        """Name shown to people."""
        return f"distil into {self.student.removeprefix('timm:')}"
