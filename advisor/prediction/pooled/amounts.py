"""What a network asks for, in a dozen sums that any runtime would agree on: MACs by kind of layer, elements, weights.

The graph is read as every runtime reads it at least: batch norm folded, a clipping activation inside its layer. Finer
fusion differs by runtime and is learnt from measurements with the rest.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.prediction.fusion import fold
from advisor.schema import MAC_KINDS, Op, OpKind, Workload
from advisor.schema.identity import remembered

Numbers = NDArray[np.float64]

COLUMNS = (
    "conv3x3", "conv", "conv_1x1", "conv_grouped", "conv_depthwise", "linear", "matmul",  # MACs
    "pointwise", "transcendental", "moved",  # elements read and written: cheap ones, costly ones, by layers with MACs
    "weights", "ops", "once",
)  # fmt: skip
LAYERS = "layers"  # the detail in which a network is known best
INDEX = {name: i for i, name in enumerate(COLUMNS)}
_INSIDE = frozenset({"relu", "relu6", "clip", "hardtanh"})
_COSTLY = frozenset({"silu", "gelu", "hardswish", "hardsigmoid", "sigmoid", "mish", "tanh", "elu", "exp"})
_FREE = frozenset({OpKind.VIEW, OpKind.OTHER})
_COLUMN_OF = {
    OpKind.CONV_1X1: "conv_1x1", OpKind.CONV_GROUPED: "conv_grouped", OpKind.CONV_DEPTHWISE: "conv_depthwise",
    OpKind.LINEAR: "linear", OpKind.MATMUL: "matmul", OpKind.ATTENTION: "matmul",
}  # fmt: skip


@dataclass(frozen=True)
class Amounts:
    """Sums of one network at batch 1; `columns` is in the order of COLUMNS, all zero where layers are not known.

    `macs` and `parameters` are the totals, 0 where they are not known; `pixels` is height x width of the first input.
    """

    columns: tuple[float, ...]
    macs: float
    parameters: float
    pixels: float
    stated: bool = True  # False where the MACs are a guess from parameters and pixels

    @property
    def layered(self) -> bool:
        """Whether the layers are known, not only totals."""
        return any(self.columns)

    @property
    def detail(self) -> str:
        """How much is known: 'layers', 'totals', the 'parameters' alone, or 'nothing' but perhaps the image."""
        if self.layered:
            return LAYERS
        if self.macs > 0:
            return "totals" if self.stated else "parameters"
        return "nothing"


def totals(macs: float, parameters: float, pixels: float, *, guessed: float = 0.0) -> Amounts:
    """Return the amounts of a network whose layers are not known; `guessed` MACs stand in where none are stated."""
    return Amounts((0.0,) * len(COLUMNS), macs or guessed, parameters, pixels, stated=macs > 0)


@remembered(256)
def amounts_of(workload: Workload) -> Amounts:
    """Sum up a profiled network, per image of its batch."""
    network = fold(workload)
    elements = {tensor.id: tensor.elements for tensor in network.tensors}
    sizes = {weight.name: weight.elements for weight in network.weights}
    sums = np.zeros(len(COLUMNS))
    made_by: dict[int, Op] = {}
    for op in network.ops:
        if op.kind not in _FREE and not _inside(op, made_by):
            _count(op, sums, elements, sizes)
        for tensor in op.outputs:
            made_by[tensor] = op
    shape = network.tensor[network.inputs[0]].shape if network.inputs else ()
    batch = max(shape[0], 1) if len(shape) > 1 else 1
    per_image = np.full(len(COLUMNS), 1.0 / batch)
    for name in ("weights", "ops"):
        per_image[INDEX[name]] = 1.0
    sums *= per_image
    sums[INDEX["once"]] = 1.0
    return Amounts(
        tuple(float(v) for v in sums),
        macs=workload.macs / batch,
        parameters=float(sum(w.elements for w in workload.weights if w.counted)),
        pixels=float(shape[-1] * shape[-2]) if len(shape) == 4 else 0.0,
    )


def _inside(op: Op, made_by: dict[int, Op]) -> bool:
    """Whether a clipping activation follows a layer with MACs directly."""
    before = made_by.get(op.inputs[0]) if op.inputs else None
    return (
        op.kind is OpKind.ACTIVATION
        and str(op.attrs.get("function", "")) in _INSIDE
        and before is not None
        and before.kind in MAC_KINDS
    )


def _count(op: Op, sums: Numbers, elements: dict[int, int], sizes: dict[str, int]) -> None:
    touched = sum(elements.get(t, 0) for t in op.inputs) + sum(elements.get(t, 0) for t in op.outputs)
    sums[INDEX["ops"]] += 1
    if op.kind in MAC_KINDS:
        sums[INDEX[_mac_column(op)]] += op.macs
        sums[INDEX["moved"]] += touched
        sums[INDEX["weights"]] += sum(sizes.get(name, 0) for name in op.weights)
        return
    costly = op.kind in (OpKind.NORM_LAYER, OpKind.SOFTMAX) or (
        op.kind is OpKind.ACTIVATION and str(op.attrs.get("function", "")) in _COSTLY
    )
    sums[INDEX["transcendental" if costly else "pointwise"]] += touched


def _mac_column(op: Op) -> str:
    """3x3 with stride 1 behind the stem is apart: there Winograd's algorithm applies."""
    if op.kind in _COLUMN_OF:
        return _COLUMN_OF[op.kind]
    plain = op.attrs.get("kernel") == (3, 3) and op.attrs.get("stride") in (None, (1, 1))
    wide = op.attrs.get("in_channels")
    return "conv3x3" if op.kind is OpKind.CONV and plain and isinstance(wide, int) and wide > 4 else "conv"
