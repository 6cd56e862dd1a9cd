"""Weight-only quantization: integers in the file, float arithmetic."""

from typing import ClassVar, Literal

from pydantic import Field

from advisor.schema import Step


class WeightOnly(Step):
    """Store weights with fewer bits; arithmetic stays in float."""

    technique: ClassVar[str] = "weight_only"
    bits: Literal[8, 4] = 8
    group_size: int = Field(default=0, ge=0)  # 0: one scale per output channel

    @property
    def label(self) -> str:
        """Name shown to people."""
        return f"weight-only int{self.bits}"
