"""Errors on what a fit had not seen, by how near the remaining measurements are; the intervals of predictions.

Widths, factors and the covariance stay those of the whole fit; what is left out are the measurements themselves
(`kernel.left_out`, exact for fixed widths).
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.typing import NDArray

from advisor.prediction.pooled.answer import (
    CLASS,
    CLASS_SIBLINGS,
    DEVICE,
    DEVICE_SIBLINGS,
    OWN,
    SETUP,
    SIBLINGS,
)  # fmt: skip

from .fitting import Fit
from .kernel import left_out
from .samples import Samples

Numbers = NDArray[np.float64]
Codes = NDArray[np.int64]
_SHARE = 0.8
_ENOUGH = 25  # errors from which a way has an interval of its own
_DEVICES = 5  # devices that they must come from, where the question is about another device
_BY_DEVICE = frozenset({DEVICE_SIBLINGS, DEVICE, CLASS_SIBLINGS, CLASS})
_CELLS = 150  # pairs of a device (or setup) and a network that are both left out
_BLOCK = 1200  # measurements that one pair may leave out


@dataclass(frozen=True)
class HeldOut:
    """Errors of one support: rows of the data and log(true / predicted)."""

    support: str
    rows: Codes
    errors: Numbers


def body_of(network: str) -> str:
    """Return the network without its input size."""
    return network.partition("@")[0]


def codes(keys: Iterable[Hashable]) -> Codes:
    """Number different keys in the order in which they come."""
    index: dict[Hashable, int] = {}
    return np.array([index.setdefault(key, len(index)) for key in keys], dtype=np.int64)


def rows_by(codes: Codes) -> list[Codes]:
    """Return the rows of each number."""
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(codes[order])) + 1)


def held_out(found: Fit) -> list[HeldOut]:
    """Return the errors of every support that the data can show."""
    data = found.data
    device = codes(s.device for s in data.setups)
    setup = codes((s.device, s.runtime, s.precision, s.threads, s.batch, s.metric) for s in data.setups)
    network = codes(data.networks)
    body = codes(body_of(name) for name in data.networks)
    way = codes(s.way for s in data.setups)
    pairs = codes(zip(device, network, strict=True))
    cells = codes(zip(setup, network, strict=True))
    elsewhere = _members(_pair(way, network), device) > 1  # the network was measured in this way on another device
    several = _members(device, setup) > 1  # the device was measured in another setup
    again = _members(pairs, cells) > 1  # the network was measured on this device in another setup
    others = _members(setup, body) > 2
    ways = _members(way, device) > 1
    found_errors = [
        _errors(found, OWN, rows_by(cells), again),
        _errors(found, SIBLINGS, rows_by(pairs), elsewhere & others),
        _errors(found, SETUP, rows_by(body), others),
        _errors(found, DEVICE_SIBLINGS, rows_by(setup), several & elsewhere),
        _errors(found, CLASS_SIBLINGS, rows_by(device), ways & elsewhere),
        _both(found, DEVICE, setup, body, several),
        _both(found, CLASS, device, body, ways),
    ]
    return [item for item in found_errors if len(item.rows)]


def _pair(left: Codes, right: Codes) -> Codes:
    return left * (int(right.max()) + 1) + right


def _members(groups: Codes, members: Codes) -> Codes:
    """Return by row how many different members the row's group has."""
    unique = np.unique(np.stack([groups, members]), axis=1)[0]
    names, counts = np.unique(unique, return_counts=True)
    return counts[np.searchsorted(names, groups)]


def _errors(found: Fit, support: str, groups: list[Codes], asked: NDArray[np.bool_]) -> HeldOut:
    predicted = left_out(found.inverse, found.alpha, found.residual, [g for g in groups if asked[g].any()])
    rows = np.flatnonzero(asked & ~np.isnan(predicted))
    return HeldOut(support, rows, (found.residual - predicted)[rows])


def _both(found: Fit, support: str, first: Codes, second: Codes, asked: NDArray[np.bool_]) -> HeldOut:
    """Leave out a group of each kind at once and ask for what both share, for a sample of pairs."""
    rng = np.random.default_rng(2)
    pairs = np.unique(np.stack([first, second])[:, asked], axis=1).T
    rows, errors = [], []
    for a, b in rng.permutation(pairs)[:_CELLS]:
        out = np.flatnonzero((first == a) | (second == b))
        if len(out) > _BLOCK:
            continue
        inside = np.flatnonzero((first[out] == a) & (second[out] == b))
        predicted = left_out(found.inverse, found.alpha, found.residual, [out])[out[inside]]
        rows += list(out[inside])
        errors += list(found.residual[out[inside]] - predicted)
    return HeldOut(support, np.array(rows, dtype=np.int64), np.array(errors))


def corrected(data: Samples, item: HeldOut) -> HeldOut:
    """Return the errors after the middle of like questions is taken out, as predictions do; each half by the other."""
    half = codes(body_of(data.networks[row]) for row in item.rows) % 2
    keys = codes(f"{data.setups[row].way}|{data.amounts[row].detail}" for row in item.rows)
    errors = item.errors.copy()
    for key in np.unique(keys):
        if not _tells(data, item.support, item.rows[keys == key]):
            continue
        for side in (0, 1):
            mine, others = (keys == key) & (half == side), (keys == key) & (half != side)
            if others.sum() >= _ENOUGH:
                errors[mine] -= np.median(item.errors[others])
    return HeldOut(item.support, item.rows, errors)


def _tells(data: Samples, support: str, rows: Codes) -> bool:
    """Whether errors speak for new cases: enough of them and, where devices were left out, of enough devices."""
    devices = {data.setups[row].device for row in rows}
    return len(rows) >= _ENOUGH and (support not in _BY_DEVICE or len(devices) >= _DEVICES)


def interval(errors: Numbers, share: float = _SHARE) -> tuple[float, float, float, int]:
    """Return factors on a prediction: the ends that hold `share` of new cases (split conformal) around the median."""
    n = len(errors)
    ordered = np.sort(errors)
    rank = min(ceil((n + 1) * (1 + share) / 2), n)
    low, mid, high = (round(float(np.exp(v)), 4) for v in (ordered[n - rank], np.median(ordered), ordered[rank - 1]))
    return low, mid, high, n


def intervals(data: Samples, errors: list[HeldOut]) -> dict[str, dict[str, tuple[float, float, float, int]]]:
    """Return the intervals by support: of a way and detail ('ncnn|cpu|int8|layers'), of a detail, of all ('')."""
    out: dict[str, dict[str, tuple[float, float, float, int]]] = {}
    for item in errors:
        parts: dict[str, list[int]] = defaultdict(list)
        for place, row in enumerate(item.rows):
            detail = data.amounts[row].detail
            parts[f"{data.setups[row].way}|{detail}"].append(place)
            parts[f"|{detail}"].append(place)
        enough = {
            key: interval(item.errors[places])
            for key, places in sorted(parts.items())
            if _tells(data, item.support, item.rows[places])
        }
        out[item.support] = {"": interval(item.errors), **enough}
    return out
