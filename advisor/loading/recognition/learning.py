"""Learning by experiment where classes, channels and image size show in an architecture's weights.

timm's own descriptions name the classifier and the first convolution, but not all of them rightly (some leave out a
second classifier), and torchvision has none. So every network is built again with other classes, channels and image
sizes, and what changes is noted.
"""

from collections.abc import Callable
from dataclasses import replace

from .fingerprint import Shapes, likeness, network_entries
from .layout import KINDS, SizeRule

Build = Callable[..., dict[str, tuple[int, ...]]]
_CLASSES, _CHANNELS = 7, 5  # of the experiment; no layer of a known network has such figures
_STEPS = range(1, 65)  # pixels per patch; two lengths already determine one step of each kind
_MOST_EXTRA_ROWS = 64  # class, distillation and register tokens beside the patches


def learn_heads(shapes: Shapes, changed: Shapes, headless: Shapes | None) -> tuple[tuple[str, int], ...]:
    """Return layers and rows per class, from a build with other classes and, where there is one, one without any."""
    rows: dict[str, int] = {}
    for name, shape in network_entries(changed).items():
        before = shapes.get(name)
        if before is None or (shape and before != shape and before[1:] == shape[1:]):
            layer = name.rpartition(".")[0]
            rows[layer] = max(rows.get(layer, 0), _rows_per_class(before, shape))
    gone = [name for name in network_entries(shapes) if headless is not None and name not in headless]
    for name in gone:
        rows.setdefault(name.rpartition(".")[0], 0)
    return tuple(sorted(rows.items()))


def _rows_per_class(before: tuple[int, ...] | None, shape: tuple[int, ...]) -> int:
    """Return the rows per class; a layer that is new and has other rows is a norm beside the classifier."""
    rows, rest = divmod(shape[0], _CLASSES) if shape else (0, 1)
    return rows if rest == 0 and (before is not None or rows == 1) else 0


def learn_stems(shapes: Shapes, changed: Shapes) -> tuple[tuple[str, int, int], ...]:
    """Return entries, axes and lengths per channel, from a build with other input channels."""
    found = []
    for name, shape in changed.items():
        before = shapes.get(name)
        axes = [axis for axis, length in enumerate(shape) if before and before[axis : axis + 1] != (length,)]
        if len(axes) == 1 and shape[axes[0]] % _CHANNELS == 0:
            found.append((name, axes[0], shape[axes[0]] // _CHANNELS))
    return tuple(sorted(found))


def learn_positions(sizes: dict[int, Shapes], designed: int) -> tuple[tuple[str, ...], SizeRule | None]:
    """Return the tables that follow from the image size, and the rule by which it is read off one of them."""
    shapes = network_entries(sizes[designed])
    names = [name for name, shape in shapes.items() if any(other.get(name) != shape for other in sizes.values())]
    patterns = tuple(sorted({likeness(name) for name in names}))
    rules = (
        rule
        for name in names
        for axis in range(len(shapes[name]))
        if (rule := _rule(name, axis, {side: other[name][axis] for side, other in sizes.items() if name in other}))
    )
    return patterns, next(rules, None)


def experiment(build: Build, published: int) -> tuple[Shapes, Shapes, Shapes | None]:
    """Build a timm network as published, with other classes and channels, and without classifier."""
    shapes = build()
    try:
        changed = build(num_classes=_CLASSES, in_chans=_CHANNELS)
    except Exception:  # networks made for colours alone refuse other channels, each with an error of its own
        changed = build(num_classes=_CLASSES)
    return shapes, changed, build(num_classes=0) if published else None


def other_classes(build: Build) -> Shapes:
    """Build a torchvision network with other classes."""
    return build(num_classes=_CLASSES)


def other_sizes(build: Build, option: str, shapes: Shapes, designed: int) -> dict[int, Shapes]:
    """Build with larger images where the network has such an option, else return the designed size alone."""
    found = {designed: shapes}
    for times in (2, 3) if option else ():
        try:
            found[times * designed] = build(**{option: times * designed})
        except Exception:  # most networks take images of any size and have no such option
            break
    return found


def _rule(name: str, axis: int, lengths: dict[int, int]) -> SizeRule | None:
    """Return the rule that explains all lengths, if there are three different ones."""
    if len(set(lengths.values())) < 3:
        return None
    side, length = min(lengths.items())
    for kind, step in ((kind, step) for kind in KINDS for step in _STEPS):
        rule = SizeRule(name, axis, kind, step, 0)
        rule = replace(rule, offset=length - (rule.length(side) or length + 1))
        fits = all(rule.length(side) == length for side, length in lengths.items())
        if fits and -1 <= rule.offset <= _MOST_EXTRA_ROWS:
            return rule
    return None
