"""Measure how many networks are recognised by their weights: `python benchmarks/recognition.py [NTH]`.

With NTH, only every nth of timm's networks is tried; torchvision's are few and tried all.

Every network is built by its library without memory for the weights, as published and changed as users change it.
"""

import os
import statistics
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any

from advisor.loading.recognition import Level, Recognition, recognise_weights
from advisor.loading.recognition.fingerprint import network_entries
from advisor.loading.recognition.index import index_path, parse_index, read_index
from advisor.loading.recognition.networks import Sizes, known_networks, network_shapes

CLASSES, CHANNELS, SIDE = 37, 1, 448
Check = Callable[[Recognition], bool]


@dataclass(frozen=True)
class Row:
    """One network in one case."""

    source: str
    case: str
    ok: bool
    names: int
    ms: float
    arch: str
    found: str


def cases(arch: str, shapes: Sizes) -> Iterator[tuple[str, Sizes | None, Check]]:
    """Yield each case with the shapes to recognise and what has to be found beside the name."""

    @cache
    def build(**options: Any) -> Sizes | None:
        try:
            changed = network_shapes(arch, **options)
        except Exception:  # not every network has every option, and each refuses in its own way
            return None
        return None if changed == shapes else changed  # some take the option and ignore it

    yield "as published", shapes, lambda r: r.level is Level.EXACT
    yield "prefix module.", {f"module.{k}": v for k, v in shapes.items()}, lambda r: r.prefix == "module."
    yield "beside a loss", _beside(shapes), lambda r: r.prefix == "model." and r.aside == (("loss", 2),)
    yield "other names", _renamed(shapes), lambda r: r.level is Level.RENAMED
    yield f"{CLASSES} classes", build(num_classes=CLASSES), lambda r: r.classes == CLASSES
    other = _renamed(build(num_classes=CLASSES) or {})
    yield f"{CLASSES} classes, other names", other, lambda r: (r.level, r.classes) == (Level.RENAMED, CLASSES)
    if arch.startswith("torchvision:"):
        return
    yield "no classifier", build(num_classes=0), lambda r: r.classes == 0
    yield f"{CHANNELS} channel", build(in_chans=CHANNELS), lambda r: r.channels == CHANNELS
    both = build(num_classes=CLASSES, in_chans=CHANNELS)
    yield "classes and channel", both, lambda r: (r.classes, r.channels) == (CLASSES, CHANNELS)
    yield f"{SIDE} pixels", build(img_size=SIDE), lambda r: r.image_size in (SIDE, None)
    yield f"{SIDE} pixels, side derived", build(img_size=SIDE), lambda r: r.image_size == SIDE


def try_network(arch: str) -> list[Row]:
    """Recognise one network in all cases."""
    rows = []
    for case, shapes, check in cases(arch, network_shapes(arch)):
        if shapes:
            start = time.perf_counter()
            found = recognise_weights(shapes)
            ms = 1000 * (time.perf_counter() - start)
            names = (found.arch, *found.twins)
            right = (arch in names and check(found)) or _is_another(found, shapes)
            rows.append(Row(arch.partition(":")[0], case, right, len(names), ms, arch, str(found)))
    return rows


def _is_another(found: Recognition, shapes: Sizes) -> bool:
    """Tell whether the changed network is one that is published itself, under the name that was found."""
    return found.level is Level.EXACT and network_entries(network_shapes(found.arch)) == network_entries(shapes)


def main(every: int) -> None:
    times = []
    for _ in range(5):
        start = time.perf_counter()
        parse_index(index_path().read_text(encoding="utf-8"))
        times.append(1000 * (time.perf_counter() - start))
    index = read_index()
    size = index_path().stat().st_size / 1000
    print(
        f"index: {size:.0f} kB, {len(index.groups)} groups, {len(index.by_name)} networks, read in {min(times):.1f} ms"
    )
    known = known_networks()
    networks = [name for name in known if name.startswith("timm:")][::every]
    networks += [name for name in known if name.startswith("torchvision:")]
    rows: dict[tuple[str, str], list[Row]] = defaultdict(list)
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for found in pool.map(try_network, networks, chunksize=4):
            for row in found:
                rows[row.source, row.case].append(row)
    _print_table(rows)
    _print_failures(rows)
    largest = sorted((len(g.names.split()), g.names) for g in index.groups)[-8:]
    print(
        "largest groups of identical weights:", *(f"  {count}: {names}" for count, names in reversed(largest)), sep="\n"
    )


def _print_table(rows: dict[tuple[str, str], list[Row]]) -> None:
    print("| source | case | networks | recognised | share | names, mean | ms, median | ms, worst |")
    print("|---|---|---|---|---|---|---|---|")
    for (source, case), tried in rows.items():
        right = sum(row.ok for row in tried)
        ms = [row.ms for row in tried]
        print(
            f"| {source} | {case} | {len(tried)} | {right} | {100 * right / len(tried):.1f} % "
            f"| {statistics.mean(row.names for row in tried):.2f} | {statistics.median(ms):.1f} | {max(ms):.0f} |"
        )


def _print_failures(rows: dict[tuple[str, str], list[Row]]) -> None:
    for (source, case), tried in rows.items():
        wrong = [row for row in tried if not row.ok]
        if wrong:
            families = Counter(row.arch.partition(":")[2].split("_")[0] for row in wrong).most_common(8)
            print(f"{source}, {case}: {len(wrong)} not recognised: {', '.join(f'{f} {n}' for f, n in families)}")
            print(f"  for example {wrong[0].arch}: {wrong[0].found}")


def _beside(shapes: Sizes) -> Sizes:
    return {f"model.{k}": v for k, v in shapes.items()} | {"loss.weight": (1000,), "loss.centres": (10, 64)}


def _renamed(shapes: Sizes) -> Sizes:
    numbers = {layer: str(n) for n, layer in enumerate(dict.fromkeys(name.rpartition(".")[0] for name in shapes))}
    split = ((name.rpartition("."), shape) for name, shape in shapes.items())
    return {f"part{numbers[layer]}.{last}": shape for (layer, _, last), shape in split}


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
