"""Weights whose shapes are those of a known architecture, under other names.

Authors publish checkpoints in namings of their own, which timm translates. The names say nothing then, and which layer
is the classifier is found by trying: each layer whose removal leaves the shapes of a known network.
"""

from collections.abc import Iterable, Iterator
from itertools import islice, product

from .fingerprint import Fingerprint, entry_code, short
from .fit import PUBLISHED_CHANNELS, Fit
from .index import Group, Index
from .result import Classifier, Level

_LAST_LAYERS = 64  # layers tried as the classifier, from the end
_FIRST_LAYERS = 3  # convolutions tried as the stem
_FEWEST_ENTRIES = 20  # shapes alone say little about a smaller network


def renamed_fits(found: Fingerprint, index: Index) -> list[Fit]:
    """Return the groups with the same shapes, else those with the same shapes up to one classifier and one stem."""
    if len(found.shapes) < _FEWEST_ENTRIES:
        return []
    same = index.shapes.get(short(found.shapes_total), ())
    if same:
        return [Fit(group, Level.RENAMED, classes=group.classes) for group in same]
    # Each removal is hashed once: what follows is tried some hundred times.
    heads = [(head, _total(head)) for head in _heads(found)]
    stems = [(stem, _total((stem,))) for stem in _stems(found)]
    for (head, head_total), (stem, stem_total) in product(heads, stems):
        body = found.shapes_total - head_total - stem_total
        groups = index.shapes_bodies.get(short(body), ())
        fits = [fit for group in groups if (fit := _fit(body, head, stem, group)) is not None]
        if fits:
            return fits
    return []


def _heads(found: Fingerprint) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Yield what may be the classifier: a matrix or 1 x 1 convolution with or without its bias, from the end."""
    shapes = found.shapes
    matrices = (
        name
        for name in reversed(shapes)
        if name.endswith(".weight") and len(shapes[name]) >= 2 and set(shapes[name][2:]) <= {1}
    )
    for name in islice(matrices, _LAST_LAYERS):
        bias = shapes.get(name.removesuffix("weight") + "bias")
        yield (shapes[name], bias) if bias is not None else (shapes[name],)


def _stems(found: Fingerprint) -> Iterator[tuple[int, ...]]:
    """Yield the shapes of the first convolutions."""
    return islice((shape for shape in found.shapes.values() if len(shape) == 4), _FIRST_LAYERS)


def _fit(body: int, head: tuple[tuple[int, ...], ...], stem: tuple[int, ...], group: Group) -> Fit | None:
    """Check the removed layers by putting the published classes and channels into their shapes."""
    published = [(group.classes, *shape[1:]) for shape in head] if group.classes else []
    if short(body + _total((*published, (stem[0], PUBLISHED_CHANNELS, *stem[2:])))) != group.shapes:
        return None
    classes = head[0][0]
    classifier = Classifier.DESIGNED if classes == group.classes else Classifier.CLASSES
    return Fit(group, Level.RENAMED, classifier, classes, channels=stem[1])


def _total(shapes: Iterable[tuple[int, ...]]) -> int:
    return sum(entry_code("", shape) for shape in shapes)
