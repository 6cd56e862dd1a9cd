"""What was measured just so: published latencies of one network in one setup, before any model is asked."""

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from statistics import median

from advisor.schema import Device
from advisor.schema.identity import remembered

from .evidence import Measured, read_evidence
from .question import network_key, setup_for
from .setup import Setup

CONFIDENCE = 0.95  # of a figure that somebody measured just so
_REPEAT = 1.15  # one more run of the same network on the same board lies within this factor four times in five


@dataclass(frozen=True)
class Published:
    """Published milliseconds of one image, the range of repeated ones, how many, and their sources."""

    ms: float
    low: float
    high: float
    n: int
    sources: tuple[str, ...]


@lru_cache(maxsize=1)
def _by_profile() -> dict[str, tuple[Measured, ...]]:
    found: dict[str, list[Measured]] = defaultdict(list)
    for row in read_evidence():
        if row.profile:
            found[row.profile].append(row)
    return {name: tuple(rows) for name, rows in found.items()}


def published(device: Device, setup: Setup, network: str) -> Published | None:
    """Return what was published of a network ('timm:resnet50@224x224') in a setup of a shipped device, newest first."""
    rows = _index(device).get((*_key(setup), network))
    if not rows:
        return None
    newest = max(setup.era for setup, _ in rows)
    values = [float(row.ms) / setup.batch for setup, row in rows if setup.era == newest]
    middle = median(values)
    return Published(
        middle, min(*values, middle / _REPEAT), max(*values, middle * _REPEAT), len(values),
        tuple(sorted({row.source for _, row in rows})),
    )  # fmt: skip


@remembered(256)
def _index(device: Device) -> dict[tuple[object, ...], list[tuple[Setup, Measured]]]:
    if device.id == "host":  # no profile that anybody published for; reading all rows to find none takes a while
        return {}
    index: dict[tuple[object, ...], list[tuple[Setup, Measured]]] = defaultdict(list)
    for row in _by_profile().get(device.id, ()):
        setup = setup_for(row, device)
        if setup is not None:
            index[*_key(setup), network_key(row.network, row.input)].append((setup, row))
    return dict(index)


def _key(setup: Setup) -> tuple[object, ...]:
    return (setup.unit, setup.runtime, setup.precision, setup.threads, setup.batch, setup.metric)
