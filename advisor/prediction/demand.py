"""What a fused graph asks of a unit, as arrays: one row per executed operation."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.schema import WEIGHTED_KINDS, Op, OpKind, Workload
from advisor.schema.identity import remembered

from .efficiency import CLASS_OF, FREE, INDEX
from .fusion import fuse

PRECISIONS = ("fp32", "fp16", "bf16", "int8", "other")
_PRECISION_INDEX = {name: i for i, name in enumerate(PRECISIONS)}

Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True)
class Demand:
    """Operations of a fused graph: class, precision, MACs, elements moved, channels (0 where there are none)."""

    classes: Codes
    precisions: Codes
    macs: Numbers
    activations: Numbers
    weights: Numbers
    inputs: Codes
    outputs: Codes
    unknown: tuple[str, ...]  # names of operations that nobody knows
    summary: bool = False  # layers are known by their sums alone

    @property
    def unknown_share(self) -> float:
        """Share of operations that are not known."""
        return len(self.unknown) / max(len(self.classes), 1)


def demand(workload: Workload, runtime: str, block: int | None = None) -> Demand:
    """Return the demand of the graph as `runtime` fuses it, with channels in blocks of `block` (see `fuse`)."""
    return _demand(fuse(workload, runtime, block))


@remembered(48)
def _demand(workload: Workload) -> Demand:
    elements = {tensor.id: tensor.elements for tensor in workload.tensors}
    sizes = {weight.name: weight.elements for weight in workload.weights}
    ops = [op for op in workload.ops if op.kind not in FREE]
    rows = [
        (
            INDEX[CLASS_OF[op.kind]],
            _precision(op),
            op.macs,
            sum(elements.get(t, 0) for t in op.inputs) + sum(elements.get(t, 0) for t in op.outputs),
            sum(sizes.get(name, 0) for name in op.weights),
            *_channels(op),
        )
        for op in ops
    ]
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 7)
    codes = table[:, (0, 1, 5, 6)].astype(np.int64)
    return Demand(
        classes=codes[:, 0], precisions=codes[:, 1], macs=table[:, 2], activations=table[:, 3], weights=table[:, 4],
        inputs=codes[:, 2], outputs=codes[:, 3],
        unknown=tuple(op.name for op in ops if op.kind is OpKind.UNKNOWN),
        summary=any(op.attrs.get("summary") for op in ops),
    )  # fmt: skip


def _precision(op: Op) -> int:
    """Rescaling between int8 and float belongs to the int8 kernels of a runtime."""
    if op.kind is OpKind.QUANTIZE:
        return _PRECISION_INDEX["int8"]
    return _PRECISION_INDEX.get(op.precision, len(PRECISIONS) - 1)


def _channels(op: Op) -> tuple[int, int]:
    if op.kind not in WEIGHTED_KINDS:
        return 0, 0
    wide = op.attrs.get("in_channels") or op.attrs.get("in_features") or 0
    out = op.attrs.get("out_channels") or op.attrs.get("out_features") or 0
    return (int(wide) if isinstance(wide, (int, float)) else 0), (int(out) if isinstance(out, (int, float)) else 0)


def padded_macs(load: Demand, multiple: int) -> Numbers:
    """MACs with channels rounded up to `multiple`; images of up to four channels have a layout of their own."""
    if multiple <= 1:
        return load.macs

    def factor(channels: Codes) -> Numbers:
        width = np.maximum(channels, 1)
        return np.where(channels > 4, -(-width // multiple) * multiple / width, 1.0)

    depthwise = load.classes == INDEX["conv_depthwise"]
    padded: Numbers = load.macs * factor(load.outputs) * np.where(depthwise, 1.0, factor(load.inputs))
    return padded


def unaligned(load: Demand, multiple: int) -> NDArray[np.bool_]:
    """Mark operations whose channels are no multiple; images of up to four channels do not count."""
    if multiple <= 1:
        return np.zeros(len(load.classes), dtype=np.bool_)
    off: NDArray[np.bool_] = ((load.inputs > 4) & (load.inputs % multiple != 0)) | (load.outputs % multiple != 0)
    return off
