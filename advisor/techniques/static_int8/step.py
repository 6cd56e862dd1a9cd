"""Static int8 quantization after training (PTQ)."""

from typing import ClassVar, Literal

from pydantic import Field

from advisor.schema import Step


class StaticInt8(Step):
    """Quantize weights and activations to int8 with ranges found on calibration images.

    Layers named in `float_layers` (module paths, or names of ONNX nodes) stay float. With `keep_float` (a share of the
    layers) or `target_sqnr` (decibels of the outputs' signal over the error) they are found by measuring which layers
    suffer most.
    """

    technique: ClassVar[str] = "static_int8"
    weights: Literal["per_channel", "per_tensor"] = "per_channel"
    signedness: Literal["u8s8", "s8s8", "u8u8"] = "s8s8"  # activation, weight
    method: Literal["minmax", "percentile", "entropy", "mse"] = "minmax"
    activations: Literal["symmetric", "asymmetric", "as the path asks"] = "as the path asks"
    calibration_images: int = Field(default=128, ge=1)
    reduce_range: bool = False  # 7-bit weights where the CPU's int8 multiply-add saturates
    power_of_two_scales: bool = False  # symmetric activations go with them
    equalize: bool = False  # channels of neighbouring convolutions get the same range
    bias_correction: bool = False  # shifts by the weights' rounding are taken off the biases
    smooth: float = Field(default=0.0, ge=0, lt=1)  # alpha of SmoothQuant behind LayerNorms, 0: not done
    float_transformer: bool = True  # LayerNorm, softmax and GELU of transformers stay float
    float_kinds: tuple[str, ...] = ()  # OpKind values kept in float
    float_layers: tuple[str, ...] = ()
    keep_float: float = Field(default=0.0, ge=0, le=1)
    target_sqnr: float | None = Field(default=None, gt=0)

    @property
    def label(self) -> str:
        """Name shown to people."""
        parts = [
            "per-tensor" if self.weights == "per_tensor" else "",
            "7-bit weights" if self.reduce_range else "",
            self.method if self.method != "minmax" else "",
            "equalized" if self.equalize else "",
            "biases corrected" if self.bias_correction else "",
            f"smoothed by {self.smooth:g}" if self.smooth else "",
            self._mixed(),
        ]
        return "int8 static" + "".join(f", {part}" for part in parts if part)

    def _mixed(self) -> str:
        if self.float_layers:
            return f"{len(self.float_layers)} layer{'s' if len(self.float_layers) > 1 else ''} in float"
        if self.target_sqnr is not None:
            return f"layers in float for {self.target_sqnr:g} dB"
        return f"{100 * self.keep_float:g} % of layers in float" if self.keep_float else ""
