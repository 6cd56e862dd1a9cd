"""Energy of one inference: latency times the power under load, by the best that is known of the device's power.

In this order: power measured on the device while it ran networks; the power a profile states with a source; for
Cortex-M cores milliwatts per MHz; for boards with power modes the share of the mode's budget that boards draw; and
where nothing but ends are known, a bound. A profile's assumed power is no figure. Chips and boards are told apart.
"""

import csv
from dataclasses import dataclass
from functools import lru_cache
from math import exp, log, sqrt
from statistics import median

from advisor.resources import data_dir
from advisor.schema import Basis, Device, Estimate, Metric, Record

from .figures import read_figures
from .query import Query, predictors, register
from .seen import corrected


class PowerShare(Record):
    """A figure fitted to published rows, with the 80 % interval of left-out rows as factors of the middle."""

    mid: float
    low: float
    high: float
    n: int | None = None
    source: str


class EnergyFile(Record):
    """The file `energy.yaml`."""

    own: PowerShare  # rows of the device: mid is 1
    stated: PowerShare  # a profile's power with a source, against power while one network runs: mid is 1
    cortex_m_mw_per_mhz: PowerShare
    mode_share: PowerShare  # power over the budget of the power mode
    sources: dict[str, str] = {}


@dataclass(frozen=True)
class Power:
    """Watts under inference with an 80 % interval, and what they rest on; `bound` marks ends instead of an interval."""

    low: float
    mid: float
    high: float
    basis: Basis
    note: str
    source: str
    n: int | None = None
    bound: bool = False


@lru_cache(maxsize=1)
def figures() -> EnergyFile:
    """Read `knowledge/prediction/energy.yaml`."""
    return read_figures("energy", EnergyFile)


@lru_cache(maxsize=1)
def published_rows() -> dict[str, tuple[dict[str, str], ...]]:
    """Read `knowledge/prediction/power.csv`: published power while networks ran, by device."""
    found: dict[str, list[dict[str, str]]] = {}
    with (data_dir("knowledge") / "prediction" / "power.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["device"], []).append(row)
    return {device: tuple(rows) for device, rows in found.items()}


def power_of(device: Device, unit: str) -> Power | None:
    """Return the power of a device while its unit runs a network, or None where nothing is known."""
    return (
        _measured(device, unit) or _stated(device) or _per_megahertz(device, unit) or _of_mode(device) or _ends(device)
    )


def _scaled(watts: float, share: PowerShare, basis: Basis, note: str, n: int | None = None) -> Power:
    mid = watts * share.mid
    return Power(mid * share.low, mid, mid * share.high, basis, note, share.source, n or share.n)


def _measured(device: Device, unit: str) -> Power | None:
    if device.power.mode is not None:
        return None  # the rows were taken in another mode
    rows = [row for name in (device.id, *device.aliases) for row in published_rows().get(name, ())]
    scope = "chip" if device.kind in ("mcu", "mcu-npu", "npu-accelerator") else "board"
    mine = [row for row in rows if row["unit"] == unit and row["scope"] == scope]
    if not mine:
        return None
    watts = sorted(float(row["power_w"]) for row in mine)
    share = figures().own
    note = f"{len(mine)} published measurements of the {scope} running networks"
    middle = median(watts)
    return Power(min(watts[0], middle * share.low), middle, max(watts[-1], middle * share.high), Basis.PUBLISHED, note,
                 mine[0]["source"], len(mine))  # fmt: skip


def _stated(device: Device) -> Power | None:
    typical = device.power.typical_w
    if typical is None or typical.basis == "assumed":
        return None
    note = f"the profile's {typical.basis} power" + (f" ({typical.formula})" if typical.formula else "")
    return _scaled(typical.value, figures().stated, Basis.PUBLISHED, f"{note}, not of this network")


def _per_megahertz(device: Device, unit: str) -> Power | None:
    cores = device.cpu.cores if device.cpu is not None else ()
    if unit != "mcu" or not cores or not cores[0].name.lower().startswith("cortex-m") or cores[0].freq_ghz is None:
        return None
    share, megahertz = figures().cortex_m_mw_per_mhz, cores[0].freq_ghz.value * 1e3
    note = f"{share.mid:.2f} mW per MHz of other Cortex-M chips at {megahertz:.0f} MHz, without board and sensors"
    return _scaled(megahertz / 1e3, share, Basis.FITTED, note)


def _of_mode(device: Device) -> Power | None:
    mode = device.power.current
    if mode is None or mode.watts is None:
        return None
    share = figures().mode_share
    note = f"{share.mid:.0%} of the {mode.watts:g} W of power mode {mode.name}, as other boards draw under inference"
    return _scaled(mode.watts, share, Basis.FITTED, note)


def _ends(device: Device) -> Power | None:
    """Return a bound between the lowest and the highest figure that the profile states."""
    budgets = [mode.watts for mode in device.power.modes if mode.watts is not None]
    lowest = device.power.idle_w.value if device.power.idle_w is not None else min(budgets, default=None)
    highest = max(budgets, default=None)
    if lowest is None or highest is None or lowest >= highest:
        return None
    return Power(lowest, sqrt(lowest * highest), highest, Basis.ASSUMED, "a bound: between the lowest and the highest "
                 "power that the profile states", "profile", bound=True)  # fmt: skip


def best_latency(query: Query) -> Estimate | None:
    """Return the latency of the most confident predictor, as outcomes correct it."""
    if "latency" not in query.shared:
        known = [(p.supports(query), p) for p in predictors(Metric.LATENCY)]
        ranked = sorted(((c, p) for c, p in known if c is not None), key=lambda pair: -pair[0])
        query.shared["latency"] = corrected(query, ranked[0][1].estimate(query)) if ranked else None
    found: Estimate | None = query.shared["latency"]
    return found


@register
@dataclass(frozen=True)
class PowerTimesTime:
    """Latency times power under load; 1 W x 1 ms = 1 mJ. Errors of both join as independent factors."""

    name = "power x time"
    metric = Metric.ENERGY

    def supports(self, query: Query) -> float | None:
        """Answer where both power and latency are known."""
        power = power_of(query.device, query.plan.unit)
        if power is None or best_latency(query) is None:
            return None
        return {Basis.PUBLISHED: 0.6, Basis.FITTED: 0.4}.get(power.basis, 0.2)

    def estimate(self, query: Query) -> Estimate:
        """Return the energy of one inference in mJ."""
        latency, power = best_latency(query), power_of(query.device, query.plan.unit)
        if latency is None or power is None:
            raise ValueError("energy was asked without latency or power")
        mid = latency.mid * power.mid
        low, high = _joined(latency, power)
        basis = power.basis if power.basis is Basis.ASSUMED else Basis.ROOFLINE
        return Estimate(
            metric=self.metric, low=low, mid=mid, high=high, basis=basis, predictor=self.name,
            references=(*latency.references, power.source),
            note=f"{latency.mid:.3g} ms at {power.mid:.3g} W ({power.low:.3g} to {power.high:.3g}): {power.note}",
        )  # fmt: skip

    def absence(self, query: Query) -> str:
        """Explain the absence."""
        if power_of(query.device, query.plan.unit) is None:
            return f"no power under load is known of {query.device.name}: no source states one"
        return "the latency is not known, so neither is the energy"


def _joined(latency: Estimate, power: Power) -> tuple[float, float]:
    """Join two intervals: the ends of a bound stay ends, else logarithms of the factors add in squares."""
    if power.bound:
        return latency.low * power.low, latency.high * power.high
    down = sqrt(log(latency.mid / latency.low) ** 2 + log(power.mid / power.low) ** 2)
    up = sqrt(log(latency.high / latency.mid) ** 2 + log(power.high / power.mid) ** 2)
    mid = latency.mid * power.mid
    return mid * exp(-down), mid * exp(up)
