"""Lower input resolution."""

from typing import ClassVar

from pydantic import Field

from advisor.schema import Step


class LowerResolution(Step):
    """Feed smaller images; weights stay."""

    technique: ClassVar[str] = "resolution"
    height: int = Field(ge=8)
    width: int = Field(ge=8)
    epochs: int = Field(default=0, ge=0)

    @property
    def label(self) -> str:
        """Name shown to people."""
        return f"input {self.height}x{self.width}"
