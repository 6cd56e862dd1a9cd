"""What a network looks like after static int8 quantization."""

from advisor.schema import Workload
from advisor.techniques.quantized import quantized
from advisor.techniques.static_int8.step import StaticInt8


def preview(step: StaticInt8, workload: Workload) -> Workload:
    """Quantize weights and activations; batch norms are folded on the way.

    Layers that are still to be chosen by measuring count as int8.
    """
    return quantized(workload, step.weights, step.float_kinds, step.float_layers)
