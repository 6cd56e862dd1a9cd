"""The columns of the pooled model: costs of one network in one setup at nominal rates, their shares, smooth features.

log(ms) = log(sum of costs x factors of the runtime) + deviations of the levels, each linear in the features here. The
share of a column is the derivative of log(ms) by the logarithm of its factor, so a deviation of a group on `shares` is
the logarithm by which its costs differ from those of the wider group.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from .amounts import COLUMNS, INDEX, Amounts
from .levels import LINEAR, ONE, RATES, SHARES, SMOOTH
from .setup import Rates, Setup, covariates, rates_of

Numbers = NDArray[np.float64]

TOTALS = ("total macs", "total weights", "pixels")  # stand in where layers are not known
ALL_COLUMNS = COLUMNS + TOTALS
WIDTH = len(ALL_COLUMNS)
_MACS = slice(0, INDEX["matmul"] + 1)
_ELEMENTS = [INDEX[name] for name in ("pointwise", "transcendental", "moved")]
_OP_MS, _ONCE_MS = 0.05, 0.5  # one operation and one inference on a core of 1 GMAC/s
_ACCELERATOR_OP_MS, _ACCELERATOR_ONCE_MS = 0.005, 0.1
_ELEMENTS_PER_PIXEL = 50.0
# Groups of columns whose rates a descriptor's figures may move together: arithmetic, memory, overhead.
_GROUPS = np.zeros((WIDTH, 3))
_GROUPS[_MACS, 0] = _GROUPS[len(COLUMNS), 0] = 1.0
_GROUPS[[*_ELEMENTS, INDEX["weights"], len(COLUMNS) + 1, len(COLUMNS) + 2], 1] = 1.0
_GROUPS[[INDEX["ops"], INDEX["once"]], 2] = 1.0


def costs(setup: Setup, network: Amounts, usual: Mapping[str, Rates]) -> Numbers:
    """Milliseconds per image by column at nominal rates, shape (WIDTH,); never all zero."""
    rates = rates_of(setup, usual)
    gmacs = rates.gmacs
    cpu = setup.unit in ("cpu", "mcu")
    # Caches are private: threads stream faster together than one does, not in proportion.
    per_element = setup.bytes / (rates.gbs * 1e6 * max(setup.threads, 1) ** 0.5)
    out = np.zeros(WIDTH)
    if network.layered:
        sums = np.asarray(network.columns)
        out[_MACS] = sums[_MACS] / (gmacs * 1e6)
        out[_ELEMENTS] = sums[_ELEMENTS] * per_element
        out[INDEX["weights"]] = sums[INDEX["weights"]] * per_element
        out[INDEX["ops"]] = sums[INDEX["ops"]] * (_OP_MS / rates.one if cpu else _ACCELERATOR_OP_MS)
    else:
        out[len(COLUMNS) :] = (
            network.macs / (gmacs * 1e6),
            network.parameters * per_element,
            network.pixels * _ELEMENTS_PER_PIXEL * per_element,
        )
    out[INDEX["once"]] = _ONCE_MS / rates.one if cpu else _ACCELERATOR_ONCE_MS
    return out


def traits(network: Amounts) -> Numbers:
    """Return what a smooth function of the network may depend on, about centred and of unit width, shape (TRAITS,)."""
    sums = dict(zip(COLUMNS, network.columns, strict=True))
    macs = max(network.macs, 1.0)
    elements = max(sums["pointwise"] + sums["transcendental"] + sums["moved"], 1.0)
    size = (
        _scaled(network.macs, 1e9, 1.5),
        _scaled(network.parameters, 1e7, 1.5),
        _scaled(network.pixels, 6e4, 1.0),
    )
    if not network.layered:
        return np.array((*size, *[0.0] * 8, 1.0))
    return np.array(
        (
            *size,
            _scaled(elements / macs, 0.03, 1.0),
            _scaled(sums["ops"], 100.0, 0.8),
            2 * sums["conv_depthwise"] / macs,
            2 * sums["conv_grouped"] / macs,
            2 * (sums["linear"] + sums["matmul"]) / macs,
            2 * sums["conv3x3"] / macs,
            2 * sums["transcendental"] / elements,
            _scaled(macs / max(sums["weights"], 1.0), 100.0, 1.5),
            0.0,
        )
    )


TRAITS = 12


def _scaled(value: float, middle: float, width: float) -> float:
    return log(value / middle) / width if value > 0 else 0.0


@dataclass(frozen=True)
class Features:
    """Features of some measurements: one row each; `base` is log(ms per image) before deviations."""

    base: Numbers  # (n,)
    parts: dict[str, Numbers]  # part -> (n, width of the part)


def features(
    setups: list[Setup], networks: list[Amounts], usual: Mapping[str, Rates], factors: Numbers, waves: Numbers
) -> Features:
    """Return the features of n measurements.

    `usual`: rates of classes of units. `factors`, shape (n, WIDTH): logarithms that the runtime's way puts on the
    nominal costs. `waves`, shape (TRAITS + 1, k): frequencies and phases of the random Fourier features (Rahimi and
    Recht, 2007) of a Gaussian kernel.
    """
    scaled = np.array([costs(s, a, usual) for s, a in zip(setups, networks, strict=True)]) * np.exp(factors)
    total = scaled.sum(axis=1, keepdims=True)
    shares = scaled / total
    rates = np.array([covariates(s, usual) for s in setups])
    by_group = np.concatenate([np.ones((len(setups), 1)), shares @ _GROUPS], axis=1)
    described = np.array([traits(a) for a in networks])
    angles = described @ waves[:-1] + waves[-1]
    return Features(
        base=np.log(total[:, 0]),
        parts={
            ONE: np.ones((len(setups), 1)),
            SHARES: shares,
            RATES: (rates[:, :, None] * by_group[:, None, :]).reshape(len(setups), -1),
            LINEAR: described,
            SMOOTH: np.cos(angles) * (2.0 / waves.shape[1]) ** 0.5,
        },
    )
