"""The architectures that are most like some weights which are none of them; estimated from sketches of the entries."""

from .fingerprint import SKETCH_SIZE, Fingerprint, short
from .index import Group, Index
from .result import Candidate

_CANDIDATES = 3
_LEAST = 0.1  # below it two random networks of the same kind are as similar
_SHAPES_COUNT = 0.8  # the same shapes under other names say less than the same entries


def nearest_architectures(found: Fingerprint, index: Index) -> tuple[Candidate, ...]:
    """Return up to three candidates, those with the very same layer names first."""
    names = short(found.names_total)
    scored = sorted(
        (
            (group.entry_names == names, _similarity(found, group, *sketches), group)
            for group, sketches in zip(index.groups, index.sketches, strict=True)
        ),
        key=lambda one: (not one[0], -one[1], abs(one[2].parameters - found.parameters), one[2].names),
    )
    return tuple(
        Candidate(group.names.split()[0], round(similarity, 2), same)
        for same, similarity, group in scored[:_CANDIDATES]
        if same or similarity >= _LEAST
    )


def _similarity(found: Fingerprint, group: Group, entries: frozenset[int], shapes: frozenset[int]) -> float:
    fewer = min(group.entries, len(found.shapes)) / max(group.entries, len(found.shapes), 1)
    if fewer < _LEAST:
        return 0.0
    return max(_overlap(found.sketch, entries), _SHAPES_COUNT * _overlap(found.shape_sketch, shapes))


def _overlap(one: frozenset[int], other: frozenset[int]) -> float:
    """Estimate the shared part of two sets from their smallest hashes."""
    both = sorted(one | other)[:SKETCH_SIZE]
    return sum(code in one and code in other for code in both) / len(both) if both else 0.0
