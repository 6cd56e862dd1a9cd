"""Where the channels of a layer sit inside a tensor, and how views and permutations move them.

A layout names one dimension and says which channels lie along it: a row of segments, each a channel variable (one per
group of coupled layers) whose every channel takes `repeat` consecutive places. Concatenation gives several segments,
flattening gives repeats, and the query, key and value of a fused projection are three segments of one variable.
"""

from dataclasses import dataclass, field
from math import gcd, prod

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Segment:
    """`width` channels of one variable, each `repeat` places long."""

    variable: int
    width: int
    repeat: int = 1

    @property
    def places(self) -> int:
        """Length along the dimension."""
        return self.width * self.repeat


Segments = tuple[Segment, ...]


@dataclass(frozen=True)
class Layout:
    """The channels along dimension `dim` (counted from the front)."""

    dim: int
    segments: Segments

    @property
    def places(self) -> int:
        """Length of the dimension."""
        return sum(s.places for s in self.segments)

    @property
    def uniform(self) -> bool:
        """All segments are equal, so the dimension is a plain product of sizes."""
        return len(set(self.segments)) == 1


@dataclass(frozen=True)
class Span:
    """The channels along one dimension of a weight; `divisor` is the number of groups that share the dimension."""

    segments: Segments
    divisor: int = 1


@dataclass
class Channels:
    """Channel variables with union-find; joined variables keep or lose channels together."""

    width: list[int] = field(default_factory=list)
    blocks: list[int] = field(default_factory=list)  # keep equally many channels in each of these equal parts
    reason: list[str] = field(default_factory=list)  # why the width must stay, "" where it may shrink
    _parent: list[int] = field(default_factory=list)

    def new(self, width: int, blocks: int = 1) -> int:
        """Create a variable."""
        self.width.append(width)
        self.blocks.append(blocks)
        self.reason.append("")
        self._parent.append(len(self._parent))
        return len(self._parent) - 1

    def root(self, variable: int) -> int:
        """Return the representative of a variable."""
        while self._parent[variable] != variable:
            self._parent[variable] = self._parent[self._parent[variable]]
            variable = self._parent[variable]
        return variable

    def pin(self, segments: Segments, reason: str) -> None:
        """Forbid shrinking; the first reason is kept."""
        for segment in segments:
            root = self.root(segment.variable)
            self.reason[root] = self.reason[root] or reason

    def block(self, variable: int, blocks: int) -> None:
        """Ask for equal counts in `blocks` equal parts of a variable."""
        root = self.root(variable)
        old = self.blocks[root]
        self.blocks[root] = old * blocks // gcd(old, blocks)
        if self.width[root] % self.blocks[root]:
            self.reason[root] = self.reason[root] or "groups of convolutions do not divide the width"

    def join(self, a: Segments, b: Segments, reason: str) -> None:
        """Couple two rows of segments place by place, or pin both where they do not match."""
        if [(s.width, s.repeat) for s in a] != [(s.width, s.repeat) for s in b]:
            self.pin(a + b, reason)
            return
        for x, y in zip(a, b, strict=True):
            rx, ry = self.root(x.variable), self.root(y.variable)
            if rx == ry:
                continue
            keep, drop = min(rx, ry), max(rx, ry)
            self._parent[drop] = keep
            self.reason[keep] = self.reason[keep] or self.reason[drop]
            self.block(keep, self.blocks[drop])


def reshaped(layout: Layout, before: Shape, after: Shape) -> Layout | None:
    """Return the layout after a reshape, or None where channels would be cut apart.

    The old dimension is read as outer x copies x channel x repeat x inner; the new one must hold the whole channel
    index, and may take over factors from outside and inside.
    """
    outer, inner = prod(before[: layout.dim]), prod(before[layout.dim + 1 :])
    first, uniform = layout.segments[0], layout.uniform
    core = layout.places
    if uniform:
        outer, inner, core = outer * len(layout.segments), inner * first.repeat, first.width
    for dim, size in enumerate(after):
        prefix, suffix = prod(after[:dim]), prod(after[dim + 1 :])
        if not prefix or not suffix or outer % prefix or inner % suffix:
            continue
        copies, repeat = outer // prefix, inner // suffix
        if size == copies * core * repeat:
            if uniform:
                return Layout(dim, (Segment(first.variable, first.width, repeat),) * copies)
            row = tuple(Segment(s.variable, s.width, s.repeat * repeat) for s in layout.segments)
            return Layout(dim, row * copies)
    return None


def cut(layout: Layout, start: int, size: int) -> Segments | None:
    """Return the segments inside [start, start + size), or None where a border cuts a segment."""
    found: list[Segment] = []
    at = 0
    for segment in layout.segments:
        if at >= start and at + segment.places <= start + size:
            found.append(segment)
        elif at + segment.places > start and at < start + size:
            return None
        at += segment.places
    return tuple(found) if found and sum(s.places for s in found) == size else None
