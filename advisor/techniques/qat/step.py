"""Quantization-aware training."""

from typing import ClassVar, Literal

from pydantic import Field

from advisor.schema import Step


class QAT(Step):
    """Train with simulated int8 quantization, then convert to a real int8 artefact."""

    technique: ClassVar[str] = "qat"
    weights: Literal["per_channel", "per_tensor"] = "per_channel"
    signedness: Literal["u8s8", "s8s8", "u8u8"] = "s8s8"
    epochs: int = Field(default=15, ge=1)
    learning_rate: float = Field(default=0.002, gt=0)  # between the last rate of the training and ten times it (PQ-03)
    reduce_range: bool = False  # 7-bit weights where the CPU's int8 multiply-add saturates
    power_of_two_scales: bool = False  # symmetric activations go with them
    # Statistics of batch norms: estimated anew with rounding once trained (RT-04), fixed for the last third of the
    # epochs (Krishnamoorthi 2018), or left as the training moved them.
    norms: Literal["reestimated", "frozen", "trained"] = "reestimated"

    @property
    def label(self) -> str:
        """Name shown to people."""
        parts = ["per-tensor" if self.weights == "per_tensor" else "", "7-bit weights" if self.reduce_range else ""]
        return " ".join(["int8 QAT", *filter(None, parts)])
