"""The rank of a noisy matrix without any setting: empirical variational Bayes matrix factorization, in closed form.

Nakajima, Sugiyama, Babacan, Tomioka: Global analytic solution of fully-observed variational Bayesian matrix
factorization, JMLR 14 (2013), corollary 2 and theorem 2, with the approximate threshold of its section 4. Kim et al.
(2016) choose the ranks of Tucker-2 by it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

_TAU = 2.5129  # tau at the threshold is this times the root of the aspect ratio


def rank_of(matrix: NDArray[Any]) -> int:
    """Return how many singular values of a matrix stand out of white noise, whose variance is found along the way."""
    short, long = sorted(matrix.shape)
    values = np.linalg.svd(np.asarray(matrix, dtype=np.float64), compute_uv=False)
    power = values**2 / max(float(values[0]) ** 2, 1e-300)  # the scale of the matrix has no say
    ratio = short / long
    tau = _TAU * np.sqrt(ratio)
    threshold = (1 + tau) * (1 + ratio / tau)
    most = min(int(np.ceil(short / (1 + ratio))) - 1, short - 1)  # at most so many components can be told from noise
    highest = power.sum() / (short * long)
    lowest = max(power[most] / (long * threshold), power[most:].mean() / long)
    free_energy = _free_energy(power, long, ratio, threshold)
    found = minimize_scalar(free_energy, bounds=(lowest, highest), method="bounded", options={"xatol": highest * 1e-8})
    return int((power > long * float(found.x) * threshold).sum())


def _free_energy(power: NDArray[Any], long: int, ratio: float, threshold: float) -> Callable[[float], float]:
    """Return the free energy as a function of the variance of the noise, up to a constant."""

    def at(variance: float) -> float:
        scaled = np.maximum(power / (long * variance), 1e-300)
        noise, signal = scaled[scaled <= threshold], scaled[scaled > threshold]
        middle = signal - (1 + ratio)
        tau = (middle + np.sqrt(np.maximum(middle**2 - 4 * ratio, 0))) / 2
        total = (noise - np.log(noise)).sum() + (signal - tau).sum() + np.log((tau + 1) / signal).sum()
        return float(total + ratio * np.log(tau / ratio + 1).sum())

    return at
