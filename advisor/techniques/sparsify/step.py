"""Sparsity without removal: zeros in place of weights."""

from typing import ClassVar, Literal

from pydantic import Field

from advisor.schema import Step
from advisor.techniques.recovery import Recovery, counted


class Sparsify(Step):
    """Set the smallest weights to zero, without structure or two of every four."""

    technique: ClassVar[str] = "sparsify"
    pattern: Literal["unstructured", "2:4"] = "unstructured"
    sparsity: float = Field(default=0.8, gt=0, lt=1)  # share of zeros
    epochs: int = Field(default=10, ge=0)  # of training, in all rounds together
    iterations: int = Field(default=1, ge=1)  # rounds of a gradual schedule (Zhu and Gupta 2017); 2:4 takes one
    recovery: Recovery = "fine_tune"
    taught_by: str | None = None  # how recovery is taught: a name under `recovery` in knowledge/distillation.yaml

    @property
    def label(self) -> str:
        """Name shown to people."""
        kind = "2:4 sparsity" if self.pattern == "2:4" else f"{self.sparsity:.0%} unstructured sparsity"
        return kind + counted(self.iterations)
