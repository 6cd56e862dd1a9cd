"""What a network looks like after static int8 quantization."""

from advisor.schema import Workload
from advisor.techniques.quantized import quantized
from advisor.techniques.static_int8.step import StaticInt8


def preview(step: StaticInt8, workload: Workload) -> Workload:
    """Quantize weights and activations; batch norms are folded on the way."""
    return quantized(workload, step.weights, step.float_kinds)
