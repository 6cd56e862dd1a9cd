"""Dynamic int8 quantization: weights int8, activation ranges found at run time."""

from typing import ClassVar, Literal

from advisor.schema import Step


class DynamicInt8(Step):
    """Quantize matrix products; convolutions stay in float because their dynamic kernels are slower than float."""

    technique: ClassVar[str] = "dynamic_int8"
    weights: Literal["per_channel", "per_tensor"] = "per_channel"
    signedness: Literal["u8s8", "s8s8", "u8u8"] = "u8s8"

    @property
    def label(self) -> str:
        """Name shown to people."""
        return "int8 dynamic"
