"""Static int8 quantization after training (PTQ)."""

from typing import ClassVar, Literal

from pydantic import Field

from advisor.schema import Step


class StaticInt8(Step):
    """Quantize weights and activations to int8 with ranges found on calibration images."""

    technique: ClassVar[str] = "static_int8"
    weights: Literal["per_channel", "per_tensor"] = "per_channel"
    signedness: Literal["u8s8", "s8s8", "u8u8"] = "s8s8"  # activation, weight
    method: Literal["minmax", "percentile", "entropy"] = "minmax"
    calibration_images: int = Field(default=128, ge=1)
    reduce_range: bool = False  # 7-bit weights where the CPU's int8 multiply-add saturates
    power_of_two_scales: bool = False
    float_kinds: tuple[str, ...] = ()  # OpKind values kept in float

    @property
    def label(self) -> str:
        """Name shown to people."""
        parts = [
            "per-tensor" if self.weights == "per_tensor" else "",
            "7-bit weights" if self.reduce_range else "",
            self.method if self.method != "minmax" else "",
        ]
        return "int8 static" + "".join(f", {part}" for part in parts if part)
