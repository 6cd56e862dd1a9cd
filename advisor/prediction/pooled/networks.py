"""Networks known by name: `knowledge/workloads.csv.gz`, the amounts of published architectures by input size."""

import csv
import gzip
from dataclasses import dataclass
from functools import lru_cache
from math import log
from pathlib import Path

from advisor.resources import data_dir
from advisor.schema import Workload

from .amounts import COLUMNS, Amounts, amounts_of
from .question import pixels_of

_USUAL = "224x224"


@dataclass(frozen=True)
class Known:
    """One network at one input size (height x width), with its amounts."""

    network: str
    input: str
    amounts: Amounts


def networks_path() -> Path:
    """Where the table lies."""
    return data_dir("knowledge") / "workloads.csv.gz"


@lru_cache(maxsize=1)
def known_networks() -> dict[tuple[str, str], Known]:
    """Return the table by network and input ('224x224')."""
    found: dict[tuple[str, str], Known] = {}
    with gzip.open(networks_path(), "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            amounts = Amounts(
                tuple(float(row[name]) for name in COLUMNS), float(row["macs"]), float(row["parameters"]),
                float(row["pixels"]),
            )  # fmt: skip
            found[row["network"], row["input"]] = Known(row["network"], row["input"], amounts)
    return found


@lru_cache(maxsize=1)
def _inputs() -> dict[str, list[str]]:
    """Return the input sizes under which each network is known."""
    found: dict[str, list[str]] = {}
    for network, size in known_networks():
        found.setdefault(network, []).append(size)
    return found


def sizes_of(network: str) -> tuple[str, ...]:
    """Return the input sizes under which a network is known."""
    return tuple(_inputs().get(network, ()))


def known_names() -> tuple[str, ...]:
    """Return the names of all known networks."""
    return tuple(_inputs())


def by_name(network: str, size: str = "") -> Known | None:
    """Return a network by its id ('timm:resnet50') at an input size, by default the usual or else the largest one."""
    sizes = _inputs().get(network)
    if not sizes:
        return None
    usual = _USUAL if _USUAL in sizes else max(sizes, key=pixels_of)
    return known_networks().get((network, size or usual))


def at_nearest_size(network: str, pixels: float) -> Known | None:
    """Return a network at the known input size that is nearest to so many pixels."""
    sizes = _inputs().get(network)
    if not sizes or pixels <= 0:
        return by_name(network)
    return known_networks()[network, min(sizes, key=lambda size: abs(log(pixels_of(size) / pixels)))]


@lru_cache(maxsize=1)
def _by_totals() -> dict[tuple[float, float, float], str]:
    found: dict[tuple[float, float, float], str] = {}
    for known in known_networks().values():
        a = known.amounts
        found.setdefault((a.macs, a.parameters, a.pixels), f"{known.network}@{known.input}")
    return found


def recognised(workload: Workload) -> str:
    """Return 'network@input' of a profiled network that is exactly a known one, '' where it is none."""
    amounts = amounts_of(workload)
    return _by_totals().get((amounts.macs, amounts.parameters, amounts.pixels), "")
