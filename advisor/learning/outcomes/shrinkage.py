"""What outcomes say of the next prediction: a mean of their errors that is drawn towards none, robustly.

Errors are counted in standard deviations that the predictions claimed for themselves, so one prior serves every metric
and predictor. The prior splits the variance of an error into parts that outcomes share: with all of the same runtime,
with those of the same form in it, with those of the same network in that form, and a rest of its own. Given that, the
best guess for the next error and its variance follow (a Gaussian process with a nested kernel). The rest has heavy
tails (Student's t, by reweighting), so that an outcome far from the others counts little.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Shares of an error's variance, 1 in all. The first outcome of a network closes at most half of the gap for the same
# network and form, 35 % for other networks, 20 % for other forms: no outcome is believed alone. Four of the same bring
# 80 %, twenty 95 %. A study with other true shares is in docs/learning.md.
RUNTIME, FORM, NETWORK, REST = 0.2, 0.15, 0.15, 0.5
OTHER_THREADS = 0.6  # of what is shared remains between numbers of threads
SCALE_STRENGTH = 10.0  # outcomes that the claimed width is worth: it was judged on published measurements
TAILS = 4.0  # degrees of freedom of Student's t: outliers are common, not absurd
CALM = 0.8  # of the variance of normal errors remains under these weights: the scale is divided by it
NARROWEST, WIDEST = 0.4, 3.0  # factors on the claimed width
_TURNS = 30
_STILL = 1e-4


@dataclass(frozen=True)
class Kind:
    """What outcomes are alike in: runtime, threads, form and network."""

    runtime: str
    threads: int
    form: str
    network: str


@dataclass(frozen=True)
class Error:
    """An error in claimed standard deviations; `noise` is the variance of the measurement itself, in the same unit."""

    kind: Kind
    size: float
    noise: float = 0.0


@dataclass(frozen=True)
class Shrunk:
    """The errors with the weights (0 to 1) that agreement gives them; `scale` is their variance over the claimed."""

    errors: tuple[Error, ...]
    weights: tuple[float, ...]
    scale: float
    solved: NDArray[np.float64]
    inverse: NDArray[np.float64]
    columns: "Columns"

    def at(self, kind: Kind) -> tuple[float, float]:
        """Return the shift of the next estimate of this kind and the factor on its width.

        A runtime, form or network that is not among the errors' is one that was not seen.
        """
        shared = self.columns.covariance(kind)
        left = 1.0 - float(shared @ self.inverse @ shared)
        width = float(np.sqrt(max(left, 0.0) * self.scale))
        return float(shared @ self.solved), min(max(width, NARROWEST), WIDEST)


class Columns:
    """The kinds of several errors, column by column."""

    def __init__(self, kinds: Sequence[Kind]) -> None:
        """Take the kinds."""
        self.runtimes, self.forms, self.networks = (
            np.array([getattr(kind, name) for kind in kinds], dtype=object) for name in ("runtime", "form", "network")
        )
        self.threads = np.array([kind.threads for kind in kinds])

    def covariance(self, kind: Kind) -> NDArray[np.float64]:
        """Return what each error has in common with one of this kind before anything was measured."""
        form = self.forms == kind.form
        shared = RUNTIME + FORM * form + NETWORK * (form & (self.networks == kind.network))
        alike: NDArray[np.float64] = shared * np.where(self.threads == kind.threads, 1.0, OTHER_THREADS)
        return np.where(self.runtimes == kind.runtime, alike, 0.0)


def shrink(errors: Sequence[Error]) -> Shrunk:
    """Weigh the errors by how well they agree, in turns until nothing moves."""
    sizes = np.array([error.size for error in errors])
    columns = Columns([error.kind for error in errors])
    kernel = np.array([columns.covariance(error.kind) for error in errors])
    noise = np.array([error.noise for error in errors])
    weights, scale = np.ones(len(errors)), 1.0
    for _ in range(_TURNS):
        inverse = np.linalg.inv(kernel + np.diag(REST / weights + noise))
        solved = inverse @ sizes
        middle = kernel @ solved
        spread = np.diag(kernel - kernel @ inverse @ kernel) * scale
        rest = ((sizes - middle) ** 2 + spread) / ((REST + noise) * scale)
        renewed = np.minimum((TAILS + 1.0) / (TAILS + rest), 1.0)
        scale = (SCALE_STRENGTH + float(sizes @ solved) / CALM) / (SCALE_STRENGTH + len(errors))
        moved, weights = float(np.abs(renewed - weights).max()), renewed
        if moved < _STILL:
            break
    return Shrunk(tuple(errors), tuple(float(w) for w in weights), scale, solved, inverse, columns)
