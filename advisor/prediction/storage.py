"""Bytes of weights by storage format: arithmetic on shapes, no calibration."""

from math import ceil

from advisor.schema import ITEM_BITS, Weight
from advisor.schema.identity import remembered

SCALE_BYTES = 4  # one float32 scale


def scales(weight: Weight) -> int:
    """Number of scales stored with a weight; the output channel is the first axis of convolution and linear weights."""
    if weight.storage.granularity == "per_tensor":
        return 1
    if weight.storage.granularity == "per_channel":
        # A single axis is a network known by its totals alone: its channels are not known and weigh next to nothing.
        return weight.shape[0] if len(weight.shape) > 1 else 1
    if weight.storage.granularity == "group":
        return ceil(weight.elements / max(weight.storage.group_size, 1))
    return 0


def weight_bytes(weight: Weight) -> int:
    """Bytes of one weight with its scales and zero points; zeros are stored like any value."""
    bits, count = ITEM_BITS[weight.storage.dtype], scales(weight)
    # A zero point of at most a byte stands beside each scale.
    return (weight.elements * bits + 7) // 8 + count * SCALE_BYTES + (count * min(bits, 8) + 7) // 8


@remembered()
def stored_bytes(weights: tuple[Weight, ...]) -> int:
    """Bytes of all weights with their scales and zero points."""
    return sum(weight_bytes(w) for w in weights)
