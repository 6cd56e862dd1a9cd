"""The groups whose members share what they teach, from a runtime on a kind of unit down to one setup and one network.

A level is a name and a key; measurements with the same key share the level's deviation. A key that was never measured
contributes nothing, so that what is known of wider groups answers. `None` keeps a measurement out of a level.
"""

from collections.abc import Callable
from dataclasses import dataclass

from .amounts import LAYERS
from .setup import Setup

Key = str | None
# What a level's deviation depends on: a constant, the shares of the kinds of work, the device's covariates by kind of
# work, the network's traits linearly, a smooth function of them.
ONE, SHARES, RATES, LINEAR, SMOOTH = "one", "shares", "rates", "linear", "smooth"


@dataclass(frozen=True)
class Level:
    """One level: what its key is made of (setup, network, how much is known of it), and what its groups differ in."""

    name: str
    key: Callable[[Setup, str, str], Key]
    parts: tuple[str, ...]


def _join(*words: object) -> str:
    return "|".join(str(word) for word in words)


def _threads(setup: Setup) -> int:
    return min(setup.threads, 8)


def _core(setup: Setup, network: str, detail: str) -> Key:
    return _join(setup.way, setup.core) if setup.core else None


def _era(setup: Setup, network: str, detail: str) -> Key:
    return _join(setup.way, setup.unit_class, setup.era) if setup.runtime == "ncnn" else None


def _body(network: str) -> str:
    """The network without its input size."""
    return network.partition("@")[0]


SETUP_LEVELS = (
    Level("unit", lambda s, n, d: s.unit, (ONE, SHARES, LINEAR, SMOOTH)),
    Level("detail", lambda s, n, d: _join(s.unit, d), (ONE,)),
    Level("runtime detail", lambda s, n, d: _join(s.runtime, s.unit, d), (ONE, LINEAR)),
    Level("runtime", lambda s, n, d: _join(s.runtime, s.unit), (ONE, SHARES, LINEAR)),
    Level("precision", lambda s, n, d: _join(s.unit, s.precision), (ONE, SHARES, RATES)),
    Level("way", lambda s, n, d: s.way, (ONE, SHARES, RATES, LINEAR, SMOOTH)),
    Level("class", lambda s, n, d: _join(s.way, s.unit_class), (ONE, SHARES, LINEAR)),
    Level("era", _era, (ONE, SHARES)),
    Level("core", _core, (ONE, SHARES)),
    Level("class threads", lambda s, n, d: _join(s.way, s.unit_class, _threads(s)), (ONE, SHARES)),
    Level("metric", lambda s, n, d: _join(s.runtime, s.metric, s.batch > 1), (ONE, SHARES)),
    Level("source", lambda s, n, d: _join(s.source, s.runtime, s.unit) if s.source else None, (ONE,)),
    Level("device", lambda s, n, d: _join(s.device, s.unit), (ONE, SHARES, LINEAR, SMOOTH)),
    Level("device runtime", lambda s, n, d: _join(s.device, s.unit, s.runtime), (ONE, SHARES)),
    Level("device precision", lambda s, n, d: _join(s.device, s.way), (ONE, SHARES)),
    Level("setup", lambda s, n, d: _join(s.device, s.way, s.threads, s.batch, s.metric), (ONE, SHARES, SMOOTH)),
)
NETWORK_LEVELS = (
    # What layers leave open is little, what totals or a name leave open is much: both have widths of their own.
    Level("network", lambda s, n, d: _body(n) if d == LAYERS else None, (ONE,)),
    Level("network size", lambda s, n, d: n if d == LAYERS else None, (ONE,)),
    Level("blind network", lambda s, n, d: _body(n) if n and d != LAYERS else None, (ONE,)),
    Level("blind network size", lambda s, n, d: n if n and d != LAYERS else None, (ONE,)),
    Level("network runtime", lambda s, n, d: _join(n, s.runtime, s.unit) if n else None, (ONE,)),
    Level("network way", lambda s, n, d: _join(n, s.way) if n else None, (ONE,)),
    Level("network class", lambda s, n, d: _join(n, s.way, s.unit_class) if n else None, (ONE,)),
    Level("network threads", lambda s, n, d: _join(n, s.runtime, s.unit, _threads(s), s.batch) if n else None, (ONE,)),
    Level("network core", lambda s, n, d: _join(n, s.way, s.core) if n and s.core else None, (ONE,)),
    Level("network device", lambda s, n, d: _join(n, s.device, s.unit) if n else None, (ONE,)),
    Level("network device precision", lambda s, n, d: _join(n, s.device, s.way) if n else None, (ONE,)),
)
LEVELS = SETUP_LEVELS + NETWORK_LEVELS
