"""Two measurements that differ in one thing, as facts and an observed effect."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LATENCY, ACCURACY, SIZE = "latency_ms", "accuracy_delta_pp", "size_mb"


@dataclass(frozen=True)
class Pair:
    """A measured effect of a plan.

    `observed` is baseline / candidate for latency and size (above 1 is a gain) and candidate less baseline in points
    for accuracy. `changed` tells what differs: the "plan", or the "unit" that runs the unchanged network.
    """

    source: str
    model: str
    device: str
    metric: str
    changed: str
    observed: float
    facts: Mapping[str, Any]
