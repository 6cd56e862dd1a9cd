"""Sparsity without removal: zeros in place of weights."""

from typing import ClassVar, Literal

from pydantic import Field

from advisor.schema import Step


class Sparsify(Step):
    """Set the smallest weights to zero, without structure or two of every four."""

    technique: ClassVar[str] = "sparsify"
    pattern: Literal["unstructured", "2:4"] = "unstructured"
    sparsity: float = Field(default=0.8, gt=0, lt=1)  # share of zeros
    epochs: int = Field(default=10, ge=0)

    @property
    def label(self) -> str:
        """Name shown to people."""
        return "2:4 sparsity" if self.pattern == "2:4" else f"{self.sparsity:.0%} unstructured sparsity"
