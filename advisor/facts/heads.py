"""Heads of detectors, as their operations tell."""

from advisor.schema import OpKind, Workload

_SIDES = 4
_BINS = frozenset({8, 16, 17, 32, 33})  # bins of a distribution: 16 in YOLOv8 and later, 17 in YOLOv6 and GFL
_CELLS = 64  # fewer places make no detector; keeps attention over few tokens apart


def distributes_boxes(workload: Workload) -> bool:
    """Whether each side of a box is a distribution over bins, as in YOLOv8 and its kin, closed by a softmax."""
    shapes = (workload.tensor[op.inputs[0]].shape for op in workload.ops if op.kind is OpKind.SOFTMAX and op.inputs)
    return any(_SIDES in shape and _BINS & set(shape) and max(shape) >= _CELLS for shape in shapes)
