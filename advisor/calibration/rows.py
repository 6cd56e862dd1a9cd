"""From samples to equations: which quantities of which classes a measured time is the sum of."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.prediction.op_terms import Terms, terms

from .collect import Sample
from .timer import NodeTime

Numbers = NDArray[np.float64]
RUNTIME = "onnxruntime"
# The runtime's names of operations by the first words of the classes that they are.
_TYPES = {
    "conv": "Conv FusedConv NhwcFusedConv QLinearConv",
    "product": "Gemm FusedGemm MatMul FusedMatMul QGemm QLinearMatMul DynamicQuantizeMatMul MatMulIntegerToFloat",
    "move reorder": "ReorderInput ReorderOutput",
    "move permute": "Transpose",
    "move slice": "Split Gather Slice Pad",
    "view": "Reshape Squeeze Unsqueeze Flatten",
    "activation": "QuickGelu Gelu FastGelu HardSigmoid Sigmoid QLinearSigmoid Relu Clip HardSwish QLinearLeakyRelu "
    "Tanh Elu",
    "elementwise": "Add Mul Sub Div Sum QLinearAdd QLinearMul",
    "norm_layer": "LayerNormalization SkipLayerNormalization InstanceNormalization",
    "norm_batch": "BatchNormalization",
    "softmax": "Softmax QLinearSoftmax",
    "pool": "MaxPool NhwcMaxPool AveragePool QLinearAveragePool",
    "reduce": "ReduceMean GlobalAveragePool QLinearGlobalAveragePool",
    "resize": "Resize Upsample",
    "concat": "Concat QLinearConcat",
    "quantize quantize": "QuantizeLinear",
    "quantize dequantize": "DequantizeLinear",
}
_GROUP_OF_TYPE = {name: group for group, names in _TYPES.items() for name in names.split()}
_ALIKE = 1.4  # largest ratio of counts at which a group is compared as a whole


@dataclass(frozen=True)
class Row:
    """One equation: the operations it sums, the milliseconds they took."""

    family: str
    classes: tuple[str, ...]
    quantities: Numbers  # one line per operation
    ms: float


def group_of_class(name: str) -> str:
    """Return the group of operations that a class belongs to."""
    if name.startswith(("linear", "matmul", "attention")):
        return "product"
    return max((group for group in _TYPES if name.startswith(group)), key=len, default=name)


def operation_rows(sample: Sample) -> Iterable[Row]:
    """Match the runtime's operations with those predicted, group by group in order of size, then of execution.

    Where a group has as many of both, each is an equation; where numbers differ a little, the group is one. The times
    are scaled to add up to the network's, since a profiler slows small operations.
    """
    found: Terms = terms(sample.workload, RUNTIME, sample.block)
    total = sum(node.ms for node in sample.nodes)
    if not total:
        return
    scale = sample.ms / total
    mine: dict[str, list[int]] = defaultdict(list)
    theirs: dict[str, list[NodeTime]] = defaultdict(list)
    for i, code in enumerate(found.classes):
        mine[group_of_class(found.names[code])].append(i)
    for node in sample.nodes:
        theirs[_GROUP_OF_TYPE.get(node.op_type, node.op_type)].append(node)
    for group, places in mine.items():
        nodes = sorted(theirs.get(group, ()), key=lambda node: node.written)
        ordered = sorted(places, key=lambda i: found.written[i])
        if len(nodes) == len(ordered):
            for i, node in zip(ordered, nodes, strict=True):
                yield _row(sample, found, [i], node.ms * scale)
        elif nodes and 1 / _ALIKE < len(ordered) / len(nodes) < _ALIKE:
            yield _row(sample, found, ordered, sum(node.ms for node in nodes) * scale)


def network_rows(samples: Sequence[Sample]) -> list[Row]:
    """Return one equation per sample: all operations together take its time."""
    rows = []
    for sample in samples:
        found = terms(sample.workload, RUNTIME, sample.block)
        rows.append(_row(sample, found, list(range(len(found.classes))), sample.ms))
    return rows


def _row(sample: Sample, found: Terms, places: list[int], ms: float) -> Row:
    names = tuple(found.names[found.classes[i]] for i in places)
    return Row(sample.family, names, found.quantities[places], ms)
