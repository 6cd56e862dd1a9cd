"""The evidence as arrays: one row per setup, network and runtime era, repeated measurements joined by their median."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.prediction.pooled.amounts import Amounts, totals
from advisor.prediction.pooled.evidence import Measured
from advisor.prediction.pooled.networks import by_name, known_networks
from advisor.prediction.pooled.question import guessed_macs, network_key, pixels_of, setup_for, size_of
from advisor.prediction.pooled.setup import Setup

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Samples:
    """Measurements of one kind of unit: `y` is log(ms per image), `repeats` how many measurements each row joins."""

    setups: list[Setup]
    networks: list[str]  # network@HxW
    amounts: list[Amounts]
    y: Numbers
    repeats: Numbers

    def __len__(self) -> int:
        return len(self.setups)


class AmountsOf:
    """Amounts of the networks of some evidence: known layers, else totals that any source states for the network."""

    def __init__(self, rows: Iterable[Measured]) -> None:
        self.stated: dict[str, dict[str, list[float]]] = defaultdict(lambda: {"macs": [], "parameters": []})
        for row in rows:
            key = network_key(row.network, row.input)
            if row.macs_g:
                self.stated[key]["macs"].append(float(row.macs_g) * 1e9)
            if row.params_m:
                self.stated[key]["parameters"].append(float(row.params_m) * 1e6)
        self.guess = self._guess()

    def _guess(self) -> Numbers:
        """Fit log(MACs) = a + b log(parameters) + c log(pixels) to the networks whose totals are known."""
        rows = [(k.amounts.macs, k.amounts.parameters, k.amounts.pixels) for k in known_networks().values()]
        for key, stated in self.stated.items():
            rows.append((_median(stated["macs"]), _median(stated["parameters"]), pixels_of(key.partition("@")[2])))
        table = np.log(np.array([row for row in rows if min(row) > 0]))
        ones = np.ones((len(table), 1))
        found: Numbers = np.linalg.lstsq(np.hstack([ones, table[:, 1:]]), table[:, 0], rcond=None)[0]
        return found

    def __call__(self, row: Measured) -> Amounts:
        """Return the amounts of a row's network."""
        size = size_of(row.input)
        known = by_name(row.network, size) if size else None
        if known is not None:
            return known.amounts
        stated = self.stated[network_key(row.network, row.input)]
        macs, parameters, pixels = _median(stated["macs"]), _median(stated["parameters"]), pixels_of(size)
        return totals(macs, parameters, pixels, guessed=guessed_macs(self.guess, parameters, pixels))


def _median(values: list[float]) -> float:
    return float(np.median(values)) if values else 0.0


def samples(rows: list[Measured], amounts_of: AmountsOf | None = None) -> dict[str, Samples]:
    """Return the samples by kind of unit (cpu, gpu, npu, mcu); rows whose device nobody can describe are left out."""
    amounts_of = amounts_of or AmountsOf(rows)
    joined: dict[tuple[Setup, str], list[float]] = defaultdict(list)
    amounts: dict[str, Amounts] = {}
    for row in rows:
        setup = setup_for(row)
        if setup is None or float(row.ms) <= 0:
            continue
        key = network_key(row.network, row.input)
        amounts.setdefault(key, amounts_of(row))
        joined[setup, key].append(float(np.log(float(row.ms) / setup.batch)))
    parts: dict[str, list[tuple[Setup, str]]] = defaultdict(list)
    for setup, key in joined:
        parts[setup.unit].append((setup, key))
    return {
        unit: Samples(
            [s for s, _ in pairs], [n for _, n in pairs], [amounts[n] for _, n in pairs],
            y=np.array([np.median(joined[pair]) for pair in pairs]),
            repeats=np.array([float(len(joined[pair])) for pair in pairs]),
        )
        for unit, pairs in sorted(parts.items())
    }  # fmt: skip
