"""Which architecture some weights belong to, judged by names and shapes alone; torch is not needed for it."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from math import prod

from .fingerprint import Fingerprint, Shapes, network_entries
from .fit import PUBLISHED_CHANNELS, Fit, best_fits
from .index import Index, read_index
from .nearest import nearest_architectures
from .renamed import renamed_fits
from .result import Level, Recognition

_MOST_ENTRIES = 20_000  # the largest known network has 2683; more cost seconds to look at and are none
_LONGEST_NAME = 1_000
_DEEPEST_PREFIX = 4
_FEWEST_ENTRIES = 8  # of a network that lies among other things
_LEAST_SHARE = 0.1  # of the entries; smaller groups are no network worth compressing
_MAIN_SHARE = 0.5  # of the entries, in the part that is compared where nothing fits
# Which of two groups of the same size is the network: the averaged or taught copy is the one meant for use.
_PREFERRED = ("model_ema", "ema_model", "ema", "teacher", "model", "net", "network", "module", "backbone", "student")


def recognise_weights(shapes: Shapes, hint: str = "", index: Index | None = None) -> Recognition:
    """Recognise the architecture; `hint` (the file's name, say) chooses among architectures with the same weights."""
    if len(shapes) > _MOST_ENTRIES or any(len(name) > _LONGEST_NAME for name in shapes):
        return Recognition(Level.NEAREST)
    index = index or read_index()
    whole = network_entries(shapes)
    views = {prefix: Fingerprint(entries) for prefix, entries in _views(whole)}
    for search in (best_fits, renamed_fits):
        for prefix, found in views.items():
            fits = search(found, index)
            if fits:
                return _recognition(fits, prefix, found, whole, hint)
    return _unknown(views, whole, index)


def _views(entries: dict[str, tuple[int, ...]]) -> Iterator[tuple[str, dict[str, tuple[int, ...]]]]:
    """Yield the whole and the groups of entries under one prefix, large and shallow ones first."""
    yield "", entries
    level = {"": entries}
    for _ in range(_DEEPEST_PREFIX):
        groups: dict[str, dict[str, tuple[int, ...]]] = {}
        for prefix, inside in level.items():
            for name, shape in inside.items():
                head, dot, rest = name.partition(".")
                if dot:
                    groups.setdefault(f"{prefix}{head}.", {})[rest] = shape
        least = max(_FEWEST_ENTRIES, _LEAST_SHARE * len(entries))
        level = {prefix: inside for prefix, inside in groups.items() if len(inside) >= least}
        yield from sorted(level.items(), key=lambda item: (-len(item[1]), _preference(item[0]), item[0]))


def _preference(prefix: str) -> int:
    ranks = (_PREFERRED.index(part) for part in prefix.split(".") if part in _PREFERRED)
    return min(ranks, default=len(_PREFERRED))


def _recognition(
    fits: Sequence[Fit], prefix: str, found: Fingerprint, whole: dict[str, tuple[int, ...]], hint: str
) -> Recognition:
    names = [(name, fit) for fit in fits for name in fit.group.names.split()]
    arch = preferred([name for name, _ in names], hint)
    fit = next(fit for name, fit in names if name == arch)
    return Recognition(
        level=fit.level,
        arch=arch,
        twins=tuple(sorted({name for name, _ in names} - {arch})),
        classifier=fit.classifier,
        classes=fit.classes,
        channels=fit.channels,
        other_channels=fit.channels not in (None, PUBLISHED_CHANNELS),
        image_size=fit.image_size,
        prefix=prefix,
        aside=_aside(prefix, whole),
        share=_share(found, whole),
    )


def _unknown(views: dict[str, Fingerprint], whole: dict[str, tuple[int, ...]], index: Index) -> Recognition:
    """Name the nearest architectures of the part that is most like a known one; the whole where parts are no better."""
    large = {prefix: found for prefix, found in views.items() if len(found.shapes) >= _MAIN_SHARE * len(whole)}
    nearest = {prefix: nearest_architectures(found, index) for prefix, found in large.items()}
    best = {prefix: (near[0].same_names, near[0].similarity) if near else () for prefix, near in nearest.items()}
    prefix = max(best, key=lambda one: best[one])
    return Recognition(
        level=Level.NEAREST,
        prefix=prefix,
        aside=_aside(prefix, whole),
        share=_share(views[prefix], whole),
        candidates=nearest[prefix],
    )


def preferred(names: Iterable[str], hint: str = "") -> str:
    """Choose among architectures with the same weights: one that the hint names, else timm's plainest."""
    said = _plain(hint)

    def order(name: str) -> tuple[int, bool, bool, bool, int, str]:
        source, _, bare = name.partition(":")
        named = len(bare) if _plain(bare) in said else 0
        return -named, source not in said, source != "timm", bare.startswith("tf_"), len(bare), name

    return min(names, key=order)


def _plain(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "", text.lower())


def _aside(prefix: str, whole: dict[str, tuple[int, ...]]) -> tuple[tuple[str, int], ...]:
    """Count what lies outside the prefix, by the first part of the names that differs."""
    outside: Counter[str] = Counter()
    for name in whole:
        if not name.startswith(prefix):
            parts, own = name.split("."), prefix.split(".")
            same = next(i for i, part in enumerate(own) if i >= len(parts) or parts[i] != part)
            outside[".".join(parts[: same + 1])] += 1
    return tuple(outside.most_common())


def _share(found: Fingerprint, whole: dict[str, tuple[int, ...]]) -> float:
    return found.parameters / max(sum(map(prod, whole.values())), 1)
