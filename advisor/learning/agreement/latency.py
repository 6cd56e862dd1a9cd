"""Pairs of published latencies: the same network on the same unit in two precisions, or on two units of a device."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from statistics import median
from typing import Any

from advisor.facts import device_facts, path_facts
from advisor.prediction.pooled.evidence import Measured, device_of, read_evidence
from advisor.schema import NO_MODEL, Device, ExecPath
from advisor.techniques.dynamic_int8.step import DynamicInt8
from advisor.techniques.half.step import Half
from advisor.techniques.static_int8.step import StaticInt8

from .networks import model_facts_of, operations_of
from .own import OwnMeasurement, own_measurements
from .pair import LATENCY, Pair
from .plans import facts_of_bits, facts_of_precision, facts_of_steps
from .settings import Settings

_FLOATS = ("fp32", "fp16", "")  # the runtime's own float where the source does not say which
_MIXED = "mixed"  # how ncnn's Vulkan rows call 16-bit storage; such rows have no processor's beside them elsewhere
_RUNTIMES = {"torch": "pytorch"}
_PLACEMENT = frozenset({"rt.unsupported_mac_share", "rt.unsupported_ops", "rt.graph_cuts"})
_NAMED = frozenset({"dev.cpu_arch", "dev.isa", "dev.cores"})  # all that a name with cores and clocks tells


def latency_pairs(settings: Settings) -> Iterator[Pair]:
    """Yield all pairs of the shipped latencies and of the own measurements."""
    rows = [row for row in read_evidence() if row.network and float(row.ms) > 0]
    found = [
        (pair, together[0].published)
        for together in _groups(rows, ("precision",)).values()
        for pair in _precision_pairs(together, settings)
    ]
    yield from _current(found, settings)
    for together in _groups(rows, ("precision", "threads", "unit", "runtime", "device_name", "published")).values():
        yield from _unit_pairs(together, settings)
    for own in own_measurements():
        yield from _own_pairs(own, settings)


def _groups(rows: list[Measured], free: tuple[str, ...]) -> dict[Measured, list[Measured]]:
    """Put rows together that differ only in figures and in the fields that are `free`."""
    blank = dict.fromkeys((*free, "ms", "macs_g", "params_m"), "")
    found: dict[Measured, list[Measured]] = defaultdict(list)
    for row in rows:
        found[replace(row, **blank)].append(row)
    return found


def _current(pairs: list[tuple[Pair, str]], settings: Settings) -> Iterator[Pair]:
    """Leave out what was measured with kernels rewritten since, unless nobody measured such a processor again."""

    def kind(pair: Pair) -> tuple[Any, ...]:
        return tuple(pair.facts.get(name) for name in ("rt.name", "dev.isa", "rt.default_float"))

    old = [settings.outdated(p.facts["rt.name"], frozenset(p.facts.get("dev.isa", ())), day) for p, day in pairs]
    again = {kind(pair) for (pair, _), is_old in zip(pairs, old, strict=True) if not is_old}
    yield from (pair for (pair, _), is_old in zip(pairs, old, strict=True) if not is_old or kind(pair) not in again)


def _precision_pairs(rows: list[Measured], settings: Settings) -> Iterator[Pair]:
    times: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        times[row.precision].append(float(row.ms))
    for base in (name for name in _FLOATS if name in times):
        for precision, those in times.items():
            if (plan := _plan(base, precision)) is not None:
                for ratio in _ratios(times[base], those):
                    yield from _pair(rows[0], base, plan, ratio, settings)


def _ratios(before: list[float], after: list[float]) -> list[float]:
    """Compare repeated measurements in their order: a source lists its builds and delegates alike in each precision."""
    if len(before) == len(after):
        return [b / a for b, a in zip(before, after, strict=True)]
    return [median(before) / median(after)]


def _plan(base: str, precision: str) -> dict[str, Any] | None:
    """Return the facts of a step from the base to a precision, None where it is no compression."""
    if precision == "int8":
        return facts_of_precision((StaticInt8(),))
    if precision == "w8a16":
        return facts_of_bits(8, 16)
    return facts_of_precision((Half(),)) if (base, precision) == ("fp32", "fp16") else None


def _pair(row: Measured, base: str, plan: dict[str, Any], ratio: float, settings: Settings) -> Iterator[Pair]:
    device = device_of(row.device, row.device_name, row.runtime, row.unit)
    where = _where(row, device, base)
    network = {**settings.named(row.network), **model_facts_of(row.network, row.input)}
    name = device.id if device is not None else row.device
    yield Pair(row.source, row.network, name, LATENCY, "plan", ratio, {**network, **where, **plan})


def _where(row: Measured, device: Device | None, base: str) -> dict[str, Any]:
    """Return the facts of device and path; the float of the path is the one that was measured against."""
    runtime = _RUNTIMES.get(row.runtime, row.runtime)
    facts: dict[str, Any] = {"rt.name": runtime, "rt.unit": row.unit, "rt.partitions": row.unit in ("npu", "gpu")}
    if base:
        facts["rt.default_float"] = base
    if device is None:
        return facts
    path = device.path(runtime, row.unit)
    if path is not None:
        facts = {**_of_path(row, path, base), **facts}
    known = device_facts(device)
    if not row.profile:
        known = {name: value for name, value in known.items() if name in _NAMED and value}
        facts.pop("rt.precisions", None)
    return {**known, **facts}


def _of_path(row: Measured, path: ExecPath, base: str) -> dict[str, Any]:
    measured = path.model_copy(update={"default_float": base}) if base else path
    operations = operations_of(row.network, row.input)
    found = path_facts(operations or NO_MODEL, measured)
    if operations is None:
        return {name: value for name, value in found.items() if name not in _PLACEMENT}
    return found


def _unit_pairs(rows: list[Measured], settings: Settings) -> Iterator[Pair]:
    """Compare another unit with the processor, each at its best in float."""
    best: dict[str, Measured] = {}
    for row in rows:
        if row.precision in (*_FLOATS, _MIXED) and (row.unit not in best or float(row.ms) < float(best[row.unit].ms)):
            best[row.unit] = row
    for unit, row in best.items():
        if unit != "cpu" and "cpu" in best:
            ratio = float(best["cpu"].ms) / float(row.ms)
            base = row.precision if row.precision in _FLOATS else ""
            for pair in _pair(row, base, facts_of_steps(()), ratio, settings):
                yield replace(pair, changed="unit")


def _own_pairs(own: OwnMeasurement, settings: Settings) -> Iterator[Pair]:
    plan = _own_plan(own.form)
    if plan is not None:
        where = {**settings.own, "rt.name": own.runtime}
        facts = {**model_facts_of(own.network, own.input), **where, **plan}
        yield Pair(own.source, own.network, "own x86 machine", LATENCY, "plan", 1 / own.ratio, facts)


def _own_plan(form: str) -> dict[str, Any] | None:
    if form == "u8s8":
        return facts_of_precision((StaticInt8(signedness="u8s8"),), {"plan.signedness": "u8s8"})
    if form == "s8s8":
        return facts_of_precision((StaticInt8(signedness="s8s8"),), {"plan.signedness": "s8s8"})
    if form == "int8":
        return facts_of_precision((StaticInt8(),))
    if form == "dynamic matmul":
        return facts_of_precision((DynamicInt8(),))
    return facts_of_precision((Half(dtype="bf16"),)) if form == "bf16" else None
