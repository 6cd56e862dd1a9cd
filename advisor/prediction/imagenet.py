"""Published ImageNet accuracies of architectures (timm's results table): what a student can reach by itself."""

import csv
from dataclasses import dataclass
from functools import lru_cache
from statistics import median

from advisor.errors import KnowledgeError
from advisor.resources import data_dir

_FILE = "timm_top1.csv"


@dataclass(frozen=True)
class Top1:
    """Top-1 in percent over the published recipes of one architecture at its usual image size."""

    low: float
    mid: float
    high: float
    n: int


@lru_cache(maxsize=1)
def _table() -> dict[str, dict[str, tuple[float, ...]]]:
    """Return accuracies by architecture and by weights."""
    path = data_dir("knowledge") / "prediction" / _FILE
    found: dict[str, dict[str, tuple[float, ...]]] = {}
    try:
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                name, _, tag = row["model"].partition(".")
                weights = found.setdefault(name, {})
                weights[tag] = (*weights.get(tag, ()), float(row["top1"]))
    except (OSError, KeyError, ValueError) as error:
        raise KnowledgeError(
            f"the table of architectures cannot be used: {error}", where=f"knowledge/prediction/{_FILE}",
            remedy="Restore the file from the release.",
        ) from error  # fmt: skip
    return found


def published_top1(name: str) -> Top1 | None:
    """Return the published top-1 of 'timm:resnet50', 'resnet50.a1_in1k' or a file named so; None where unknown."""
    arch, _, tag = name.removeprefix("timm:").removeprefix("torchvision:").partition(".")
    weights = _table().get(arch)
    if weights is None:
        return None
    if tag in weights:
        values = weights[tag]
        return Top1(min(values), median(values), max(values), len(values))
    # Weights of ImageNet-1k alone are what one's own training can reach; pretraining on more data is out of reach.
    plain = [v for t, values in weights.items() if "in1k" in t and not _extra(t) for v in values]
    values = tuple(sorted(plain or [v for values in weights.values() for v in values]))
    low, high = values[int(0.1 * (len(values) - 1))], values[-1 - int(0.1 * (len(values) - 1))]
    return Top1(low, median(values), high, len(values))


def published_lead(student: str, original: str) -> float | None:
    """Return the points by which a network is published as better than another, None where one is unknown."""
    found, other = published_top1(student), published_top1(original)
    return None if found is None or other is None else round(found.mid - other.mid, 1)


def _extra(tag: str) -> bool:
    return any(
        mark in tag for mark in ("in21k", "in22k", "in12k", "ig1b", "yfcc", "laion", "jft", "ns_jft", "ssl", "clip")
    )
