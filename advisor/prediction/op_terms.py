"""What an operation of a fused graph costs in the terms of a calibration: a class with a few quantities.

The time of an operation is the sum of its quantities times the coefficients of its class, which a calibration fits:
arithmetic, elements read and written, weights read, and once per operation. Classes are as fine as kernels differ.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advisor.schema import CONV_KINDS, MAC_KINDS, WEIGHTED_KINDS, Op, OpKind, Workload
from advisor.schema.calibration import QUANTITIES
from advisor.schema.identity import remembered

from .fusion import fuse

Numbers = NDArray[np.float64]
BLOCK = 16  # channels are padded to this in blocked kernels and vector registers
MULTIPLE = 4  # narrower images, or input channels that are no multiple, keep the plain layout
_HALF_BLOCK = 8
_IMAGE = 4  # axes
_MEGA = 1e-6
# A ReLU is applied while a result is still in registers; other activations pass over the output once more.
_FUSED = frozenset({"relu6", "clip", "hardtanh", "leaky_relu", "sigmoid", "tanh", "hardsigmoid", "hardswish"})
_WEIGHTS_ALONE = frozenset({"linear row", "conv pixel"})  # one row against a matrix: all else is in proportion to it


@dataclass(frozen=True)
class Terms:
    """One row per operation of a fused graph: class (index into `names`), `QUANTITIES`, elements written."""

    names: tuple[str, ...]
    classes: NDArray[np.int64]
    quantities: Numbers
    written: Numbers


def terms(workload: Workload, runtime: str, block: int | None = None) -> Terms:
    """Return the terms of the graph that `runtime` executes, with channels in blocks of `block` (see `fuse`)."""
    return _terms(fuse(workload, runtime, block))


@remembered(64)
def _terms(fused: Workload) -> Terms:
    shapes = {tensor.id: tensor.shape for tensor in fused.tensors}
    sizes = {weight.name: prod(weight.shape) for weight in fused.weights}
    floats = frozenset(tensor.id for tensor in fused.tensors if tensor.dtype.startswith(("float", "bfloat")))
    last = any(op.precision == "int8" and op.kind in CONV_KINDS for op in fused.ops)
    index: dict[str, int] = {}
    classes, rows, sizes_out = [], [], []
    for op in fused.ops:
        if op.kind is OpKind.OTHER or not op.outputs:
            continue
        name, row = _row(op, shapes, sizes, floats)
        if last and op.kind is OpKind.REDUCE:
            name = f"{name} last"  # integer convolutions keep channels last, where a mean over the image strides
        classes.append(index.setdefault(name, len(index)))
        rows.append(row)
        sizes_out.append(sum(prod(shapes[t]) for t in op.outputs[:1] if t in shapes))
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(QUANTITIES))
    return Terms(tuple(index), np.array(classes, dtype=np.int64), table, np.array(sizes_out, dtype=np.float64))


Shapes = dict[int, tuple[int, ...]]
_Row = tuple[float, ...]


def _row(op: Op, shapes: Shapes, sizes: dict[str, int], floats: frozenset[int]) -> tuple[str, _Row]:
    read = sum(prod(shapes[t]) for t in op.inputs if t in shapes)
    written = sum(prod(shapes[t]) for t in op.outputs if t in shapes)
    weights = sum(sizes.get(name, 0) for name in op.weights)
    name, macs = _CLASS_OF.get(op.kind, _plain)(op, shapes)
    calls = max(_number(op.attrs.get("groups"), 1), 1) if op.kind is OpKind.CONV_GROUPED else 1  # one product a group
    number = _arithmetic(op, floats)
    if op.kind is OpKind.REDUCE:
        macs = read * sqrt(read / max(written, 1))  # strides over an image: the larger, the slower per element
    if op.kind not in WEIGHTED_KINDS:
        weights = 0
    if name in _WEIGHTS_ALONE:
        macs, read, written = 0.0, 0, 0
    rows = _rows(op, shapes, macs, name)
    activated = written if number == "float" and _FUSED & set(str(op.attrs.get("fused", "")).split("+")) else 0
    counts = (macs, rows, read, written, activated, weights)
    return f"{name} {number}", (*(count * _MEGA for count in counts), float(calls))


def _rows(op: Op, shapes: Shapes, macs: float, name: str) -> float:
    """Return what a convolution spends besides arithmetic: windows copied first, else starts of rows."""
    if op.kind is OpKind.CONV_GROUPED or name == "conv plain":
        groups = max(_number(op.attrs.get("groups"), 1), 1)
        return macs * groups / max(_number(op.attrs.get("out_channels"), 1), 1)
    return macs / _row_pixels(op, shapes)


def _row_pixels(op: Op, shapes: Shapes) -> float:
    """Pixels of an output row of a convolution that slides; everything else runs through in one go.

    Integer convolutions have their channels last.
    """
    shape = shapes.get(op.outputs[0], ())
    if op.kind not in CONV_KINDS or op.kind is OpKind.CONV_1X1 or len(shape) != _IMAGE:
        return float("inf")
    last = shape[1] != _number(op.attrs.get("out_channels"))
    return float(max(shape[2 if last else 3], 1))


def _arithmetic(op: Op, floats: frozenset[int]) -> str:
    """A product of integers that reads floats finds their range itself, on every run."""
    if op.precision != "int8":
        return "float"
    return "dynamic" if op.kind is OpKind.LINEAR and op.inputs[0] in floats else "int8"


def _number(value: Any, default: int = 0) -> int:
    return int(value) if isinstance(value, int | float) else default


def _up(channels: int, block: int = BLOCK) -> int:
    return -(-channels // block) * block


def _convolution(op: Op, shapes: Shapes) -> tuple[str, float]:
    wide, out = _number(op.attrs.get("in_channels"), 1), _number(op.attrs.get("out_channels"), 1)
    groups = max(_number(op.attrs.get("groups"), 1), 1)
    pixels = prod(shapes.get(op.outputs[0], ())) // out
    if groups == wide and groups == out and groups > 1:
        return _depthwise(op, out)
    if groups > 1:
        return _grouped(op, wide // groups, out // groups)
    if pixels == 1:
        return "conv pixel", float(op.macs)
    kind = str(op.kind)
    if op.precision == "int8":
        odd = wide % MULTIPLE != 0 or out % _HALF_BLOCK != 0
        stem = wide < BLOCK and op.kind is OpKind.CONV
        padded = op.macs * _up(out) / out * _up(wide, MULTIPLE) / wide
        return f"{kind} {'stem' if stem else 'odd' if odd else 'even'}", padded
    if wide < BLOCK:
        return f"{kind} stem", op.macs * _up(out) / out
    if wide % MULTIPLE:
        return f"{kind} plain", float(op.macs)
    return f"{kind} blocked", op.macs * _up(out) / out * _up(wide) / wide


def _depthwise(op: Op, channels: int) -> tuple[str, float]:
    """Float kernels pad to blocks; integer ones fall back to a loop over channels that fill no vector."""
    kind = f"{op.kind} {_taps(op)}"
    if op.precision == "int8":
        return f"{kind} {'odd' if channels % BLOCK else 'even'}", float(op.macs)
    if channels % MULTIPLE:
        return f"{kind} plain", float(op.macs)
    return f"{kind} blocked", op.macs * _up(channels) / channels


def _grouped(op: Op, wide: int, out: int) -> tuple[str, float]:
    """One input channel with several outputs is as slow as grouped kernels get, per product."""
    kind = "conv_grouped single" if wide == 1 else "conv_grouped"
    if op.precision == "int8":
        return kind, float(op.macs)
    return f"{kind} {'blocked' if wide % BLOCK == 0 and out % BLOCK == 0 else 'plain'}", float(op.macs)


def _taps(op: Op) -> str:
    kernel = op.attrs.get("kernel")
    size = max(kernel) if isinstance(kernel, tuple) and kernel else 3
    return "3x3" if size <= 3 else "larger"


def _product(op: Op, shapes: Shapes) -> tuple[str, float]:
    out = shapes.get(op.outputs[0], (1,))
    rows = prod(out[:-1]) if op.kind is OpKind.LINEAR else 2
    if op.kind is OpKind.LINEAR and rows == 1:
        return "linear row", float(op.macs)
    return str(op.kind), op.macs * _up(out[-1]) / max(out[-1], 1)


def _function(op: Op, shapes: Shapes) -> tuple[str, float]:
    function = str(op.attrs.get("function", "")).removesuffix("_")
    return f"{op.kind} {_ALIKE.get(function, function)}".strip(), 0.0


def _pool(op: Op, shapes: Shapes) -> tuple[str, float]:
    """Every output reads its whole window."""
    kernel = op.attrs.get("kernel")
    window = prod(kernel) if isinstance(kernel, tuple) and kernel else 1
    written = sum(prod(shapes[t]) for t in op.outputs[:1] if t in shapes)
    return _function(op, shapes)[0], float(written * window)


def _elementwise(op: Op, shapes: Shapes) -> tuple[str, float]:
    """Operands of one shape run in one loop; a factor per channel makes many short ones."""
    sizes = {prod(shapes[t]) for t in op.inputs if t in shapes}
    return ("elementwise" if len(sizes) <= 1 else "elementwise broadcast"), 0.0


def _move(op: Op, shapes: Shapes) -> tuple[str, float]:
    function = str(op.attrs.get("function", ""))
    return f"move {function if function in ('permute', 'reorder') else 'slice'}", 0.0


def _plain(op: Op, shapes: Shapes) -> tuple[str, float]:
    return str(op.kind), 0.0


_ALIKE = {"relu6": "relu", "clip": "relu", "hardtanh": "relu", "hardswish": "silu", "mish": "gelu", "elu": "gelu"}
_CLASS_OF: dict[OpKind, Callable[[Op, Shapes], tuple[str, float]]] = {
    **dict.fromkeys(CONV_KINDS, _convolution), **dict.fromkeys(MAC_KINDS - CONV_KINDS, _product),
    OpKind.ACTIVATION: _function, OpKind.POOL: _pool, OpKind.ELEMENTWISE: _elementwise, OpKind.MOVE: _move,
    OpKind.QUANTIZE: _function,
}  # fmt: skip
