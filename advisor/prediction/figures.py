"""Read the figures of `knowledge/prediction/`: checked, with the file in every error, and told apart by version."""

import hashlib
from functools import cache
from types import MappingProxyType
from typing import TypeVar

from advisor.resources import data_dir, read_record
from advisor.schema import Metric, Record

_COSTS = ("efficiency", "efficiency_fitted", "fusion", "pooled", "precision_steps", "throughput")
RESTS_ON = MappingProxyType(
    {
        Metric.LATENCY: _COSTS,
        Metric.THROUGHPUT: _COSTS,
        Metric.ENERGY: ("energy", "power", *_COSTS),
        Metric.MEMORY: ("memory", "firmware", "fusion"),
        Metric.FLASH: ("firmware", "size", "size_fitted"),
        Metric.SIZE: ("size", "size_fitted"),
        Metric.ACCURACY: ("accuracy", "accuracy_pooled", "probe", "timm_top1"),
    }
)  # metric -> files of `knowledge/prediction/` without their endings

R = TypeVar("R", bound=Record)


def read_figures(name: str, shape: type[R]) -> R:
    """Read `knowledge/prediction/<name>.yaml` and check it against a record."""
    return read_record(data_dir("knowledge") / "prediction" / f"{name}.yaml", shape)


@cache
def figures_version(metric: Metric) -> str:
    """Return a digest of the figures that predictions of a metric rest on."""
    folder = data_dir("knowledge") / "prediction"
    files = sorted(file for name in RESTS_ON[metric] for file in folder.glob(f"{name}.*"))
    return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()[:12]
