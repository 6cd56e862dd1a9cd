"""What a state dict is compared by: sums of hashes over its entries.

Equal sums mean equal entries whatever their order, and a part of the entries is taken out of a sum by subtraction. So
one pass over the names answers for every known classifier layer whether the rest is that network. A hostile file could
forge a sum; it gains nothing, because the weights are later held against the network entry by entry.
"""

import re
from base64 import urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from math import prod

Shapes = Mapping[str, tuple[int, ...]]

# Entries that are counters or follow from the architecture: checkpoints hold them or not as the version pleased.
BOOKKEEPING = frozenset(
    {
        "num_batches_tracked",
        "total_ops",  # thop
        "total_params",  # thop
        "n_averaged",  # torch.optim.swa_utils
        "relative_position_index",  # Swin, BEiT
        "relative_coords_table",  # Swin v2
        "attn_mask",  # Swin
        "attention_bias_idxs",  # LeViT, EfficientFormer
    }
)
SKETCH_SIZE = 16  # smallest hashes kept: the error of the estimated overlap is about 1 / sqrt(16) / 2, enough to rank
SKETCH_BYTES = 3  # of each hash kept
_DEEPEST = 32  # layers within layers that are looked at; known networks stay below 12
_WORD = 2**64
_FIGURES = re.compile(r"\d+")


def network_entries(shapes: Shapes) -> dict[str, tuple[int, ...]]:
    """Return the entries without bookkeeping."""
    return {name: tuple(shape) for name, shape in shapes.items() if not is_bookkeeping(name)}


def is_bookkeeping(name: str) -> bool:
    """Tell whether an entry says nothing about the network."""
    return name.rpartition(".")[2] in BOOKKEEPING


def entry_code(name: str, shape: Iterable[int]) -> int:
    """Hash one entry to 64 bits, the same on every machine."""
    return _hash(f"{name} {'x'.join(map(str, shape))}")


def short(total: int) -> str:
    """Write a sum as eleven characters."""
    return urlsafe_b64encode((total % _WORD).to_bytes(8, "big")).decode().rstrip("=")


def likeness(name: str) -> str:
    """Return the name with # for every figure, so that the same layer of all blocks reads the same."""
    return _FIGURES.sub("#", name)


@dataclass(frozen=True)
class Fingerprint:
    """The sums over the entries of one state dict; bookkeeping is left out already."""

    shapes: dict[str, tuple[int, ...]]

    @cached_property
    def codes(self) -> dict[str, int]:
        """The hash of each entry."""
        return {name: entry_code(name, shape) for name, shape in self.shapes.items()}

    @cached_property
    def total(self) -> int:
        """The sum over all entries."""
        return sum(self.codes.values())

    @cached_property
    def under(self) -> dict[str, int]:
        """The sum over the entries that are called so or lie below this layer."""
        sums: dict[str, int] = {}
        for name, code in self.codes.items():
            end, depth = len(name), 0
            while end > 0 and depth < _DEEPEST:
                sums[name[:end]] = sums.get(name[:end], 0) + code
                end, depth = name.rfind(".", 0, end), depth + 1
        return sums

    @cached_property
    def like(self) -> dict[str, int]:
        """The sum over the entries whose names differ in figures alone."""
        sums: dict[str, int] = {}
        for name, code in self.codes.items():
            key = likeness(name)
            sums[key] = sums.get(key, 0) + code
        return sums

    @cached_property
    def names_total(self) -> int:
        """The sum over the names alone."""
        return sum(map(_hash, self.shapes))

    @cached_property
    def shapes_total(self) -> int:
        """The sum over the shapes alone."""
        return sum(entry_code("", shape) for shape in self.shapes.values())

    @cached_property
    def parameters(self) -> int:
        """The number of elements in all entries."""
        return sum(map(prod, self.shapes.values()))

    @cached_property
    def sketch(self) -> frozenset[int]:
        """The smallest hashes of the entries, by which the overlap with other networks is estimated."""
        return _smallest(self.codes.values())

    @cached_property
    def shape_sketch(self) -> frozenset[int]:
        """The smallest hashes of the shapes, each numbered by its occurrence."""
        seen: dict[tuple[int, ...], int] = {}
        codes = []
        for shape in self.shapes.values():
            seen[shape] = seen.get(shape, 0) + 1
            codes.append(entry_code(str(seen[shape]), shape))
        return _smallest(codes)


def _smallest(codes: Iterable[int]) -> frozenset[int]:
    # The upper bits are kept, so that the smallest of the short hashes are those of the long ones.
    return frozenset(sorted({code >> (64 - 8 * SKETCH_BYTES) for code in codes})[:SKETCH_SIZE])


def write_sketch(sketch: Iterable[int]) -> str:
    """Write a sketch as text, four characters a hash."""
    return urlsafe_b64encode(b"".join(code.to_bytes(SKETCH_BYTES, "big") for code in sorted(sketch))).decode()


def _hash(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(errors="replace"), digest_size=8).digest(), "big")
