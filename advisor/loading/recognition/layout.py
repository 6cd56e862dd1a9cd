"""Where an architecture's classes, input channels and image size show in the shapes of its weights."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isqrt
from typing import Any

from .fingerprint import Shapes, likeness

KINDS = ("line", "area", "table")


@dataclass(frozen=True)
class SizeRule:
    """How the side of a square image follows from the length of one axis.

    `line`: length = patches + offset with patches = side / step; `area`: length = patches**2 + offset, one row per
    patch and some for tokens; `table`: length = (2 * patches - 1)**2 + offset, one row per distance of two patches.
    """

    entry: str
    axis: int
    kind: str
    step: int
    offset: int

    def length(self, side: int) -> int | None:
        """Return the length of the axis for this side, None where the patches do not fill it."""
        if side % self.step:
            return None
        patches = side // self.step
        return {"line": patches, "area": patches**2, "table": (2 * patches - 1) ** 2}[self.kind] + self.offset

    def side(self, shapes: Shapes) -> int | None:
        """Return the side of the image that the weights were made for, None where none fits."""
        shape = shapes.get(self.entry, ())
        rows = max(shape[self.axis] - self.offset, 0) if len(shape) > self.axis else 0
        patches = {"line": rows, "area": isqrt(rows), "table": (isqrt(rows) + 1) // 2}[self.kind]
        side = patches * self.step
        return side if patches > 0 and self.length(side) == shape[self.axis] else None


@dataclass(frozen=True)
class Layout:
    """The layers that follow from classes, channels and image size; the rest is the body of the network.

    `heads`: layer and rows per class (0 for a layer that comes and goes with the classifier). `stems`: entry, axis and
    length per input channel. `positions`: names of tables that follow from the image size, # for figures.
    """

    heads: tuple[tuple[str, int], ...] = ()
    stems: tuple[tuple[str, int, int], ...] = ()
    positions: tuple[str, ...] = ()
    size: SizeRule | None = None

    def classes(self, shapes: Shapes) -> int | None:
        """Return the number of classes, 0 without a classifier, None where the heads are not as designed."""
        if not any(True for layer, _ in self.heads for _ in below(shapes, layer)):
            return 0
        found = {_rows(shapes, layer) / rows for layer, rows in self.heads if rows}
        classes = found.pop() if len(found) == 1 else 0
        return int(classes) if classes and classes == int(classes) else None

    def channels(self, shapes: Shapes) -> int | None:
        """Return the number of input channels, None where the first layers do not show it."""
        found = {
            shapes[entry][axis] / length if entry in shapes and len(shapes[entry]) > axis else None
            for entry, axis, length in self.stems
        }
        channels = found.pop() if len(found) == 1 else None
        return int(channels) if channels and channels == int(channels) else None

    def is_position(self, name: str) -> bool:
        """Tell whether an entry follows from the image size."""
        return bool(self.positions) and likeness(name) in self.positions

    def dump(self) -> list[Any]:
        """Return the layout as JSON."""
        rule = self.size
        written = [rule.entry, rule.axis, rule.kind, rule.step, rule.offset] if rule else None
        return [list(map(list, self.heads)), list(map(list, self.stems)), list(self.positions), written]

    @classmethod
    def parse(cls, written: list[Any]) -> "Layout":
        """Read a layout from JSON."""
        heads, stems, positions, rule = written
        return cls(
            tuple((layer, rows) for layer, rows in heads),
            tuple((entry, axis, length) for entry, axis, length in stems),
            tuple(positions),
            SizeRule(*rule) if rule else None,
        )


def below(shapes: Shapes, layer: str) -> Iterator[str]:
    """Yield the entries that are called so or lie below this layer."""
    return (name for name in shapes if name == layer or name.startswith(f"{layer}."))


def _rows(shapes: Shapes, layer: str) -> int:
    shape = shapes.get(f"{layer}.weight", ())
    return shape[0] if shape else 0
