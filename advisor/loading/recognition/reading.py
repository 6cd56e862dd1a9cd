"""Classes, input channels and image size of weights whose architecture is known by name."""

from dataclasses import dataclass

from .fingerprint import Fingerprint, Shapes, network_entries, short
from .fit import positions_total
from .index import Index, read_index


@dataclass(frozen=True)
class Reading:
    """What the weights say; `classes` is 0 without a classifier, None stands for unknown."""

    classes: int | None = None
    channels: int | None = None
    image_size: int | None = None


def read_layout(arch: str, shapes: Shapes, index: Index | None = None) -> Reading:
    """Read the weights of an architecture by where its classifier, first layer and position tables are.

    An architecture that the index does not know is not read at all; a tag of timm weights makes no difference.
    """
    index = index or read_index()
    groups = index.by_name.get(arch) or index.by_name.get(arch.partition(".")[0], [])
    if not groups:
        return Reading()
    entries = network_entries(shapes)
    found = Fingerprint(entries)
    # Networks with a part for training alone are in two groups; the one whose heads are all there tells the classes.
    layouts = [(index.layouts[group.layout], group) for group in groups]
    layout, group = next((one for one in layouts if one[0].classes(entries)), layouts[0])
    resized = layout.size is not None and short(positions_total(found, layout)) != group.positions
    return Reading(
        layout.classes(entries),
        layout.channels(entries),
        layout.size.side(entries) if layout.size is not None and resized else None,
    )
