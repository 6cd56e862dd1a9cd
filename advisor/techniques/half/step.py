"""Half precision: fp16 or bf16 weights and arithmetic."""

from typing import ClassVar, Literal

from advisor.schema import Step


class Half(Step):
    """Convert weights and arithmetic to a 16-bit float."""

    technique: ClassVar[str] = "half"
    dtype: Literal["fp16", "bf16"] = "fp16"

    @property
    def label(self) -> str:
        """Name shown to people."""
        return self.dtype
