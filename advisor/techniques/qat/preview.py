"""What a network looks like after quantization-aware training: as after static quantization, with other values."""

from advisor.schema import Workload
from advisor.techniques.qat.step import QAT
from advisor.techniques.quantized import quantized


def preview(step: QAT, workload: Workload) -> Workload:
    """Quantize weights and activations; batch norms are folded on the way."""
    return quantized(workload, step.weights)
