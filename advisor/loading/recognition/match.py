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

_DEEPEST_PREFIX = 4
_FEWEST_ENTRIES = 8  # of a network that lies among other things
_LEAST_SHARE = 0.1  # of the entries; smaller groups are no network worth compressing
# Which of two groups of the same size is the network: the averaged or taught copy is the one meant for use.
_PREFERRED = ("model_ema", "ema_model", "ema", "teacher", "model", "net", "network", "module", "backbone", "student")


def recognise_weights(shapes: Shapes, hint: str = "", index: Index | None = None) -> Recognition:
    """Recognise the architecture; `hint` (the file's name, say) chooses among architectures with the same weights."""
    index = index or read_index()
    whole = network_entries(shapes)
    views = {prefix: Fingerprint(entries) for prefix, entries in _views(whole)}
    for search in (best_fits, renamed_fits):
        for prefix, found in views.items():
            fits = search(found, index)
            if fits:
                return _recognition(fits, prefix, found, whole, hint)
    prefix = _main_prefix(views, len(whole))
    return _unknown(prefix, views[prefix], whole, index)


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
    last = prefix.removesuffix(".").rpartition(".")[2]
    return _PREFERRED.index(last) if last in _PREFERRED else len(_PREFERRED)


def _main_prefix(views: dict[str, Fingerprint], entries: int) -> str:
    """Return the longest prefix under which nearly everything lies."""
    return [prefix for prefix, found in views.items() if len(found.shapes) >= 0.9 * entries][-1]


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


def _unknown(prefix: str, found: Fingerprint, whole: dict[str, tuple[int, ...]], index: Index) -> Recognition:
    return Recognition(
        level=Level.NEAREST,
        prefix=prefix,
        aside=_aside(prefix, whole),
        share=_share(found, whole),
        candidates=nearest_architectures(found, index),
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
    return re.sub(r"[^a-z0-9]+", "_", text.lower())


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
