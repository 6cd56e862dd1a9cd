#!/usr/bin/env python3
"""Measure the files of this kit on the board that it was unpacked on, and write results.json.

Needs Python 3.8 and nothing else, and uses the runtime that the board has. Part of advisor, Apache License 2.0.
"""

from __future__ import annotations

import argparse
import glob
import hashlib
import json
import os
import platform
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import backends  # type: ignore[import-not-found]  # lies beside this file in the kit

FEWEST_ROUNDS = 7
SYSTEM = "/sys"
RAILS = ("class/hwmon/*/power1_input", "class/hwmon/*/curr1_input",
         "bus/i2c/drivers/ina3221x/*/iio:device*/in_power0_input")  # fmt: skip
HERE = os.path.dirname(os.path.abspath(__file__))


def text(path: str) -> str:
    """Return the text of a file of the system, empty where it is not shown."""
    try:
        with open(path, errors="replace") as file:
            return file.read().strip("\0 \n")
    except OSError:
        return ""


def numbers(pattern: str) -> list[int]:
    """Return the whole numbers in the files that fit a pattern."""
    found = (text(path) for path in sorted(glob.glob(pattern)))
    return [int(one) for one in found if one.lstrip("-").isdigit()]


def machine() -> dict[str, Any]:
    """Describe the board."""
    model = text("/proc/device-tree/model")
    lines = [line.split(":", 1) for line in text("/proc/cpuinfo").splitlines() if ":" in line]
    named = {key.strip().lower(): value.strip() for key, value in lines}
    return {
        "name": model or named.get("model name") or named.get("hardware") or platform.processor() or "unknown",
        "arch": platform.machine(),
        "cpus": os.cpu_count(),
        "system": " ".join((platform.system(), platform.release())),
        "python": platform.python_version(),
    }


def conditions() -> dict[str, Any]:
    """Read what the board is doing; what it does not show is null."""
    cpu = SYSTEM + "/devices/system/cpu/cpu"
    temperatures = [
        value / 1000 for value in numbers(SYSTEM + "/class/thermal/thermal_zone*/temp") if -40000 < value < 150000
    ]
    cores = numbers(cpu + "[0-9]*/thermal_throttle/core_throttle_count")
    packages = numbers(cpu + "[0-9]*/thermal_throttle/package_throttle_count")
    flags = text(SYSTEM + "/devices/platform/soc/soc:firmware/get_throttled")
    governors = {text(path) for path in glob.glob(cpu + "[0-9]*/cpufreq/scaling_governor")} - {""}
    clocks = numbers(cpu + "[0-9]*/cpufreq/scaling_cur_freq")
    return {
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "governor": ", ".join(sorted(governors)) or None,
        "clock_mhz": max(clocks) // 1000 if clocks else None,
        "temperature_c": max(temperatures) if temperatures else None,
        "throttle_events": sum(cores) + max(packages or [0]) if cores or packages else None,
        "undervolted": bool(int(flags, 16) & 0xF) if flags else None,
    }


class Meter:
    """Energy of the whole package or board: RAPL counters, else the first INA sensor; idle power is included."""

    def __init__(self) -> None:
        domains = glob.glob(SYSTEM + "/class/powercap/intel-rapl:?")
        self.counters = [d for d in domains if text(d + "/name").startswith("package") and text(d + "/energy_uj")]
        self.rails = [path for pattern in RAILS for path in sorted(glob.glob(f"{SYSTEM}/{pattern}")) if self.seen(path)]
        self.source = "RAPL" if self.counters else "the board's power sensor" if self.rails else ""

    @staticmethod
    def seen(path: str) -> bool:
        """Whether a rail can be read and belongs to a sensor of power."""
        return bool(text(path)) and ("ina3221x" in path or text(os.path.dirname(path) + "/name").startswith("ina"))

    def watts(self) -> float:
        """Return the power of the first rail now: microwatts, milliamperes times millivolts, or milliwatts."""
        folder, name = os.path.split(self.rails[0])
        value = int(text(self.rails[0]) or 0)
        if name.startswith("curr"):
            return value * int(text(folder + "/in1_input") or 0) / 1e6
        return value / (1e6 if name.startswith("power") else 1e3)

    def joules(self, work: Callable[[], object]) -> float:
        """Return the energy that was used while `work` ran."""
        if self.counters:
            before = [int(text(d + "/energy_uj")) for d in self.counters]
            work()
            pairs = zip(self.counters, before)  # noqa: B905  (Python 3.8)
            used = [(int(text(d + "/energy_uj")) - b, int(text(d + "/max_energy_range_uj") or 0)) for d, b in pairs]
            return sum(u if u >= 0 else u + most for u, most in used) / 1e6
        done, samples = threading.Event(), [self.watts()]

        def sample() -> None:
            while not done.wait(0.05):
                samples.append(self.watts())

        sampler = threading.Thread(target=sample, daemon=True)
        start = time.perf_counter()
        sampler.start()
        work()
        seconds = time.perf_counter() - start
        done.set()
        sampler.join()
        return sum(samples) / len(samples) * seconds


class Entry:
    """A file that is measured: opened and warmed up, then timed a round at a time."""

    def __init__(
        self, artefact: dict[str, Any], backend: Any, threads: int, clock: Callable[[], float], seconds: float
    ) -> None:
        self.artefact, self.clock, self.fill = artefact, clock, seconds
        self.rounds: list[float] = []
        self.energy: list[float] = []
        self.seconds = 0.0
        self.work = backend.open(os.path.join(HERE, artefact["file"]), artefact, threads)
        self.repeats = None if backend.tool else self.warm_up()

    def warm_up(self) -> int:
        """Run for a while, and return how many runs fill a round."""
        times: list[float] = []
        end = time.perf_counter() + self.fill
        while len(times) < 3 or time.perf_counter() < end:
            start = time.perf_counter()
            self.work()
            times.append(time.perf_counter() - start)
        return max(1, min(10000, round(self.fill / max(min(times), 1e-6))))

    def round(self, meter: Meter) -> None:
        """Time one round."""
        begin = time.perf_counter()
        if self.repeats is None:
            self.rounds.append(self.work())
        elif meter.source:
            self.energy.append(meter.joules(self.timed) * 1e3 / self.repeats)
        else:
            self.timed()
        self.seconds += time.perf_counter() - begin

    def timed(self) -> None:
        """Run as often as fills a round."""
        start = self.clock()
        for _ in range(self.repeats or 0):
            self.work()
        self.rounds.append((self.clock() - start) / (self.repeats or 1) * 1e3)

    def results(self) -> dict[str, Any]:
        """Return the figures: times in milliseconds, energy in millijoules an inference."""
        figures = {name: self.artefact[name] for name in ("role", "file", "sha256", "bytes")}
        figures.update(rounds_ms=self.rounds, median_ms=median(self.rounds), minimum_ms=min(self.rounds))
        figures.update(runs_per_round=self.repeats, seconds=self.seconds, energy_mj=self.energy)
        return figures


def check(kit: dict[str, Any]) -> None:
    """Stop where a file is not the one that was packed."""
    for artefact in kit["artefacts"]:
        for name, known in [(artefact["file"], artefact["sha256"]), *sorted(artefact["companions"].items())]:
            with open(os.path.join(HERE, name), "rb") as file:
                if hashlib.sha256(file.read()).hexdigest() != known:
                    raise SystemExit(f"error: {name} is not the file that was packed; unpack the kit again")


def memory(backend: Any, artefact: dict[str, Any], threads: int) -> dict[str, Any]:
    """Return peak memory of a fresh process in MB (1e6 bytes), and the runtime's share of it."""
    if backend.tool or not os.path.exists("/proc/self/status"):
        return {}
    command = [sys.executable, os.path.abspath(__file__), "--probe", artefact["role"], "--runtime", backend.name]
    try:
        done = subprocess.run([*command, "--threads", str(threads)], stdout=subprocess.PIPE, check=True)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        print(f"memory was not measured: {error}", flush=True)
        return {}
    return found


def probe(backend: Any, artefact: dict[str, Any], threads: int) -> None:
    """Print the memory of this process before the model and at its peak."""

    def mb(name: str) -> float:
        line = next(line for line in text("/proc/self/status").splitlines() if line.startswith(name + ":"))
        return int(line.split()[1]) * 1024 / 1e6

    before = mb("VmRSS")
    work = backend.open(os.path.join(HERE, artefact["file"]), artefact, threads)
    for _ in range(3):
        work()
    print(json.dumps({"runtime_mb": before, "peak_mb": mb("VmHWM")}))


def measure(kit: dict[str, Any], backend: Any, threads: int, rounds: int) -> dict[str, Any]:
    """Measure all files, in turn forwards and backwards, and return the results."""
    single = threads == 1 and not backend.tool
    clock, meter = (time.process_time if single else time.perf_counter), Meter()
    entries = [Entry(artefact, backend, threads, clock, kit["round_seconds"]) for artefact in kit["artefacts"]]
    before = conditions()
    for turn in range(rounds):
        for entry in entries if turn % 2 == 0 else reversed(entries):
            entry.round(meter)
        print(f"round {turn + 1} of {rounds}", flush=True)
    after = conditions()
    return {
        "format": "advisor-bench-results", "version": 1, "time_unit": "ms", "device": kit["device"],
        "created": time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime()),
        "runtime": backend.runtime, "used": backend.name, "runtime_version": backend.version(),
        "unit": backend.unit, "threads": threads,
        "clock": "cpu" if single else "wall", "machine": machine(), "before": before, "after": after,
        "meter": meter.source if not backend.tool else "",
        "artefacts": [dict(entry.results(), **memory(backend, entry.artefact, threads)) for entry in entries],
    }  # fmt: skip


def main() -> None:
    """Read the kit, choose a runtime, measure, write results.json."""
    with open(os.path.join(HERE, "kit.json"), encoding="utf-8") as file:
        kit = json.load(file)
    parser = argparse.ArgumentParser(description="Measure the files of this kit on this board.")
    parser.add_argument("--threads", type=int, default=kit["threads"], help="threads of the runtime (%(default)s)")
    parser.add_argument("--rounds", type=int, default=kit["rounds"], help="rounds, 7 or more (%(default)s)")
    parser.add_argument("--runtime", choices=sorted(b.name for b in backends.ALL), help="instead of the best one found")
    parser.add_argument("--output", default=os.path.join(HERE, "results.json"), help="where to write the results")
    parser.add_argument("--which", action="store_true", help="say which runtime would be used, and measure nothing")
    parser.add_argument("--probe", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.rounds < FEWEST_ROUNDS or given.threads < 1:
        parser.error(f"at least {FEWEST_ROUNDS} rounds and one thread")
    check(kit)
    backend = backends.choose(kit, given.runtime)
    if given.which:
        print(f"{backend.name} {backend.version()}")
        return
    if given.probe:
        probe(backend, next(a for a in kit["artefacts"] if a["role"] == given.probe), given.threads)
        return
    print(f"measuring with {backend.name} {backend.version()}", flush=True)
    results = measure(kit, backend, given.threads, given.rounds)
    partial = given.output + ".part"
    with open(partial, "w", encoding="utf-8") as file:
        json.dump(results, file, indent=1)
    os.replace(partial, given.output)
    for found in results["artefacts"]:
        print("{role}: median {median_ms:.3f} ms, minimum {minimum_ms:.3f} ms".format(**found))
    print("wrote " + given.output)


if __name__ == "__main__":
    main()
