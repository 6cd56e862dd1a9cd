"""Whether some weights are a known architecture: exactly, or up to the classifier, input channels and image size."""

from base64 import urlsafe_b64decode
from collections.abc import Iterable
from dataclasses import dataclass

from .fingerprint import Fingerprint, entry_code, likeness, short
from .index import Group, Index
from .layout import Layout, below
from .result import Classifier, Level

PUBLISHED_CHANNELS = 3


@dataclass(frozen=True)
class Fit:
    """One group of architectures and how the weights deviate from it."""

    group: Group
    level: Level
    classifier: Classifier = Classifier.DESIGNED
    classes: int | None = None
    channels: int | None = None
    image_size: int | None = None

    @property
    def loss(self) -> tuple[int, int, bool]:
        """Order fits from good to bad; of sizes, one that the tables allow is better."""
        unknown_size = self.level is Level.SIZE and self.image_size is None
        return list(Level).index(self.level), list(Classifier).index(self.classifier), unknown_size


def best_fits(found: Fingerprint, index: Index) -> list[Fit]:
    """Return the groups that fit best, all equally well; empty where none does."""
    exact = [_exact(found, index.layouts[group.layout], group) for group in index.exact.get(short(found.total), ())]
    if exact:
        return exact
    fits: list[Fit] = []
    for number, layout in enumerate(index.layouts):
        for group in index.bodies.get((number, short(body_total(found, layout))), ()):
            fit = _assess(found, layout, group)
            if fit is not None:
                fits.append(fit)
    return best(fits)


def best(fits: Iterable[Fit]) -> list[Fit]:
    """Keep the fits that no other one beats."""
    ordered = sorted(fits, key=lambda fit: fit.loss)
    return [fit for fit in ordered if fit.loss == ordered[0].loss]


def body_total(found: Fingerprint, layout: Layout) -> int:
    """Return the sum over the entries that follow neither from classes nor from the image size; channels count as 0."""
    heads = sum(found.under.get(layer, 0) for layer, _ in layout.heads)
    stems = sum(found.codes.get(entry, 0) for entry, _, _ in layout.stems)
    return found.total - heads - stems + _stems_total(found, layout, channels=0) - positions_total(found, layout)


def positions_total(found: Fingerprint, layout: Layout) -> int:
    """Return the sum over the tables that follow from the image size."""
    return sum(found.like.get(pattern, 0) for pattern in layout.positions)


def _stems_total(found: Fingerprint, layout: Layout, channels: int) -> int:
    """Return the sum over the first layers as they would be for so many input channels."""
    total = 0
    for entry, axis, length in layout.stems:
        shape = found.shapes.get(entry, ())
        total += entry_code(entry, (*shape[:axis], channels * length, *shape[axis + 1 :]))
    return total


def _exact(found: Fingerprint, layout: Layout, group: Group) -> Fit:
    return Fit(
        group,
        Level.EXACT,
        classes=layout.classes(found.shapes),
        channels=layout.channels(found.shapes),
    )


def _assess(found: Fingerprint, layout: Layout, group: Group) -> Fit | None:
    """Look at what the body leaves out: heads, stems and positions."""
    channels = layout.channels(found.shapes)
    if layout.stems and channels is None:
        return None
    same_size = short(positions_total(found, layout)) == group.positions
    if not same_size and not any(likeness(name) in layout.positions for name in found.shapes):
        return None
    classes = layout.classes(found.shapes)
    classifier = Classifier.CLASSES
    if classes == 0 and group.classes:
        classifier = Classifier.ABSENT
    elif classes is None or (classes and group.classes and not _verified(found, layout, group, classes)):
        classifier, classes = Classifier.OWN, _last_rows(found, layout)
    elif classes == group.classes:
        classifier = Classifier.DESIGNED
    return Fit(
        group,
        Level.HEAD if same_size else Level.SIZE,
        classifier,
        classes,
        channels,
        image_size=None if same_size or layout.size is None else layout.size.side(found.shapes),
    )


def _verified(found: Fingerprint, layout: Layout, group: Group, classes: int) -> bool:
    """Put the published classes into the shapes of the heads; then they must be those of the group."""
    restored = 0
    for layer, rows in layout.heads:
        for name in below(found.shapes, layer):
            shape = found.shapes[name]
            if rows and shape and shape[0] == rows * classes:
                shape = (rows * group.classes, *shape[1:])
            restored += entry_code(name, shape)
    restored += _stems_total(found, layout, PUBLISHED_CHANNELS) - _stems_total(found, layout, channels=0)
    expected = _number(group.exact) - _number(group.body) - _number(group.positions)
    return short(restored) == short(expected)


def _last_rows(found: Fingerprint, layout: Layout) -> int | None:
    """Return the rows of the last matrix in the user's own classifier."""
    matrices = [found.shapes[name] for layer, _ in layout.heads for name in below(found.shapes, layer)]
    return next((shape[0] for shape in reversed(matrices) if len(shape) >= 2), None)


def _number(text: str) -> int:
    return int.from_bytes(urlsafe_b64decode(f"{text}="), "big")
