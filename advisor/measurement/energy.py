"""Energy while something runs, from counters of the processor (RAPL) or power sensors on the board (INA).

The figure is of the whole package or board, idle power and neighbours included; nothing here subtracts them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Protocol

from .conditions import ROOT

SAMPLES_PER_SECOND = 20  # of power sensors; most of them average over some milliseconds themselves


class Meter(Protocol):
    """A source of energy readings."""

    @property
    def source(self) -> str:
        """Where the figure comes from, in words."""

    def joules(self, work: Callable[[], object]) -> float:
        """Return the energy that was used while `work` ran."""


@dataclass(frozen=True)
class Rapl:
    """The energy counters of an x86 processor, one domain a package; they wrap around after some minutes."""

    domains: tuple[Path, ...]
    source: str = "RAPL counters of the processor's packages"

    def joules(self, work: Callable[[], object]) -> float:
        """Read the counters before and after."""
        before = [_number(domain / "energy_uj") for domain in self.domains]
        work()
        total = 0
        for domain, start in zip(self.domains, before, strict=True):
            used = _number(domain / "energy_uj") - start
            total += used if used >= 0 else used + _number(domain / "max_energy_range_uj")
        return total / 1e6


@dataclass(frozen=True)
class PowerSensor:
    """Power of a board's input rail as a sensor sees it, sampled by a thread and integrated over time."""

    rail: Path
    source: str

    def joules(self, work: Callable[[], object]) -> float:
        """Sample while the work runs; its mean power times its time."""
        done, samples = Event(), [self._watts()]

        def sample() -> None:
            while not done.wait(1 / SAMPLES_PER_SECOND):
                samples.append(self._watts())

        sampler = Thread(target=sample, daemon=True)
        start = time.perf_counter()
        sampler.start()
        try:
            work()
        finally:
            seconds = time.perf_counter() - start
            done.set()
            sampler.join()
        samples.append(self._watts())
        return sum(samples) / len(samples) * seconds

    def _watts(self) -> float:
        if self.rail.name.startswith("power"):
            return _number(self.rail) / 1e6  # microwatts
        if self.rail.name.startswith("in_power"):
            return _number(self.rail) / 1e3  # milliwatts, as NVIDIA's older kernels have it
        milliamperes = _number(self.rail)
        return milliamperes * _number(self.rail.with_name(self.rail.name.replace("curr", "in"))) / 1e6  # mA x mV


def find_meter(root: Path = ROOT) -> Meter | None:
    """Return the best readable meter: RAPL, else a sensor of the board's input; None where there is none."""
    packages = tuple(sorted(path for path in (root / "sys/class/powercap").glob("intel-rapl:?") if _package(path)))
    if packages:
        return Rapl(packages)
    for name in sorted((root / "sys/class/hwmon").glob("hwmon*/name")):
        if not _text(name).startswith("ina"):
            continue
        rail = _input_rail(name.parent)
        if rail is not None:
            return PowerSensor(rail, f"sensor {_text(name)}, {_label(rail)}")
    older = sorted((root / "sys/bus/i2c/drivers/ina3221x").glob("*/iio:device*/in_power0_input"))
    return PowerSensor(older[0], "sensor ina3221x, first rail") if older and _text(older[0]).isdigit() else None


def _package(domain: Path) -> bool:
    """Whether a domain is a whole package that may be read; newer kernels show counters to root alone."""
    return _text(domain / "name").startswith("package") and _text(domain / "energy_uj").isdigit()


def _input_rail(sensor: Path) -> Path | None:
    """Return the sensor's rail that feeds the board: the one labelled so (VDD_IN on Jetsons), else the first."""
    rails = [
        path for path in sorted(sensor.glob("power*_input")) + sorted(sensor.glob("curr*_input")) if _readable(path)
    ]
    return next((rail for rail in rails if "IN" in _label(rail).upper().split("_")), rails[0] if rails else None)


def _readable(rail: Path) -> bool:
    if not _text(rail).isdigit():
        return False
    return rail.name.startswith("power") or _text(rail.with_name(rail.name.replace("curr", "in"))).isdigit()


def _label(rail: Path) -> str:
    """Return what a rail is called; on the INA3221 the label stands with the voltage."""
    channel = rail.name.removesuffix("_input")
    own = rail.with_name(f"{channel}_label")
    return _text(own) or _text(rail.with_name(f"{channel.replace('curr', 'in')}_label")) or channel


def _number(path: Path) -> int:
    return int(path.read_text())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
