"""From the words of a table to a question the pooled model understands: a setup, a network's key, its amounts."""

import re

import numpy as np
from numpy.typing import NDArray

from advisor.schema import Device

from .amounts import COLUMNS, Amounts
from .evidence import Measured, device_of
from .setup import Run, Setup, setup_of

_SHAPE = re.compile(r"(\d+)x(\d+)x(\d+)x(\d+)")


def size_of(shape: str) -> str:
    """Return '224x224' of '1x3x224x224', '' where the shape is no image."""
    found = _SHAPE.fullmatch(shape)
    return f"{found[3]}x{found[4]}" if found else ""


def pixels_of(size: str) -> float:
    """Return height x width of '224x224', 0 of ''."""
    height, _, width = size.partition("x")
    return float(int(height) * int(width)) if width else 0.0


def network_key(network: str, shape: str) -> str:
    """Return the key of a network at its input size."""
    return f"{network}@{size_of(shape)}"


def guessed_macs(guess: NDArray[np.float64], parameters: float, pixels: float) -> float:
    """Return about how many MACs a network of these parameters has on an image of these pixels, 0 for unknown ones."""
    if parameters <= 0 or pixels <= 0:
        return 0.0
    return float(np.exp(guess @ (1.0, np.log(parameters), np.log(pixels))))


def setup_for(row: Measured, device: Device | None = None) -> Setup | None:
    """Return the setup of a row, or None where its device is not known and its name tells no cores."""
    device = device or device_of(row.device, row.device_name, row.runtime, row.unit)
    if device is None:
        return None
    run = Run(
        row.unit, row.runtime, row.precision, threads=int(row.threads) if row.threads else None,
        batch=int(row.batch or 1), metric=row.metric, published=row.published, source=row.source,
    )  # fmt: skip
    return setup_of(device, run)


def rescaled(amounts: Amounts, pixels: float) -> Amounts:
    """Return the amounts of a network on an image of other size, from those on one size.

    Layers on feature maps grow with the pixels; those of a network with attention do so by token, and attention itself
    by the square. Layers behind global pooling stay; they are told from the rest by the absence of attention.
    """
    ratio = pixels / amounts.pixels if amounts.pixels else 1.0
    sums = dict(zip(COLUMNS, amounts.columns, strict=True))
    tokens = sums["matmul"] > 0
    power = {"weights": 0.0, "ops": 0.0, "once": 0.0, "linear": 1.0 if tokens else 0.0, "matmul": 2.0}
    grown = {name: value * ratio ** power.get(name, 1.0) for name, value in sums.items()}
    macs = sum(list(grown.values())[: COLUMNS.index("matmul") + 1]) if amounts.layered else amounts.macs * ratio
    return Amounts(tuple(grown.values()), macs, amounts.parameters, pixels)
