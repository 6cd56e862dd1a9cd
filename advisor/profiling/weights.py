"""What a weight is for, judged by the operations that read it. Torch-free."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet

from advisor.schema import WEIGHTED_KINDS, Op, OpKind

_NORMS = frozenset({OpKind.NORM_BATCH, OpKind.NORM_LAYER})


def roles(ops: tuple[Op, ...], shapes: Mapping[str, tuple[int, ...]], buffers: AbstractSet[str]) -> dict[str, str]:
    """Return weight | bias | norm | embedding | buffer for every weight.

    Per-channel scales outside a normalisation (layer scale) count as norm: like those they are vectors that no one
    quantises. Tokens, position tables and everything else with more than one long axis count as embedding.
    """
    readers: dict[str, set[OpKind]] = {}
    for op in ops:
        for name in op.weights:
            readers.setdefault(name, set()).add(op.kind)
    return {
        name: "buffer" if name in buffers else _role(name, shape, readers.get(name, set()))
        for name, shape in shapes.items()
    }


def _role(name: str, shape: tuple[int, ...], readers: set[OpKind]) -> str:
    leaf = name.rsplit(".", 1)[-1]
    vector = sum(side > 1 for side in shape) <= 1
    if readers & _NORMS:
        return "norm"
    if readers & WEIGHTED_KINDS:
        return "bias" if len(shape) <= 1 else "weight"
    if leaf in ("weight", "kernel") and len(shape) > 1 and not readers:
        return "weight"  # of a layer that the forward pass never calls
    if "bias" in leaf and len(shape) <= 1:
        return "bias"
    return "norm" if vector and len(shape) <= 1 else "embedding"
