"""Build the index: `python -m advisor.loading.recognition.build`; some minutes on two cores, one GB of memory each."""

import os
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import timm
import torchvision

from advisor.writing import write_text

from .fingerprint import Fingerprint, entry_code, network_entries, short, write_sketch
from .fit import body_total, positions_total
from .index import Group, Index, dump_index, index_path
from .layout import Layout, below
from .learning import experiment, learn_heads, learn_positions, learn_stems, other_classes, other_sizes
from .networks import first_entry, known_networks, network_shapes, published_classes, training_part


@dataclass(frozen=True)
class Known:
    """One architecture and its weights; with a part for training there is a second one of the same name."""

    name: str
    layout: Layout
    shapes: dict[str, tuple[int, ...]]


def learn(arch: str) -> tuple[Known, ...]:
    """Build an architecture in its variants and return what the index has to say about it."""
    if arch.startswith("timm:"):
        return (_learn_timm(arch),)
    part = training_part(arch)
    variants = ({part: False}, {part: True}) if part else ({},)
    return tuple(_learn_torchvision(arch, options) for options in variants)


def _learn_timm(arch: str) -> Known:
    build = partial(network_shapes, arch)
    shapes, changed, headless = experiment(build, published_classes(arch))
    designed = timm.models.get_pretrained_cfg(arch.removeprefix("timm:")).input_size[-1]
    positions, size = learn_positions(other_sizes(build, "img_size", shapes, designed), designed)
    heads = learn_heads(shapes, changed, headless)
    return Known(arch, Layout(heads, learn_stems(shapes, changed), positions, size), network_entries(shapes))


def _learn_torchvision(arch: str, options: dict[str, bool]) -> Known:
    build = partial(network_shapes, arch, **options)
    shapes = build()
    # torchvision's networks other than ViT take images of any size.
    positions, size = learn_positions(other_sizes(build, "image_size" if ":vit_" in arch else "", shapes, 224), 224)
    first = first_entry(arch)
    stems = ((first, 1, 1),) if first is not None else ()
    heads = learn_heads(shapes, other_classes(build), None)
    return Known(arch, Layout(heads, stems, positions, size), network_entries(shapes))


def make_index(known: Iterable[Known]) -> Index:
    """Put architectures with the same weights and layout into one group."""
    layouts: dict[Layout, int] = {}
    groups: dict[tuple[int, str], Group] = {}
    for one in sorted(known, key=lambda one: one.name):
        number = layouts.setdefault(one.layout, len(layouts))
        group = make_group(one, number)
        twin = groups.get((number, group.exact))
        groups[number, group.exact] = group._replace(names=f"{twin.names} {one.name}") if twin else group
    versions = {"timm": timm.__version__, "torchvision": torchvision.__version__.partition("+")[0]}
    return Index(versions, tuple(layouts), tuple(groups.values()))


def make_group(known: Known, layout: int) -> Group:
    """Return the sums and sketches of one architecture."""
    found = Fingerprint(known.shapes)
    varying = {name for layer, _ in known.layout.heads for name in below(known.shapes, layer)}
    varying |= {entry for entry, _, _ in known.layout.stems}
    fixed = (shape for name, shape in known.shapes.items() if name not in varying)
    return Group(
        names=known.name,
        layout=layout,
        classes=known.layout.classes(known.shapes) or 0,
        entries=len(known.shapes),
        parameters=found.parameters,
        exact=short(found.total),
        body=short(body_total(found, known.layout)),
        positions=short(positions_total(found, known.layout)),
        entry_names=short(found.names_total),
        shapes=short(found.shapes_total),
        shapes_body=short(sum(entry_code("", shape) for shape in fixed)),
        sketch=write_sketch(found.sketch),
        shape_sketch=write_sketch(found.shape_sketch),
    )


def _learn_all(archs: tuple[str, ...]) -> Iterator[Known]:
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for number, found in enumerate(pool.map(learn, archs, chunksize=8), start=1):
            print(f"\r{number} of {len(archs)}", end="", file=sys.stderr, flush=True)
            yield from found
    print(file=sys.stderr)


def main() -> None:
    """Learn every network of the installed timm and torchvision and write the index."""
    index = make_index(_learn_all(known_networks()))
    write_text(index_path(), dump_index(index))


if __name__ == "__main__":
    main()
