"""From a row's words to a device, a way of running, and a network; or the reason why not."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from advisor.devices import load_device
from advisor.devices.described import described_device
from advisor.errors import AdvisorError, nearest
from advisor.prediction.pooled.amounts import Amounts, amounts_of, totals
from advisor.prediction.pooled.evidence import Measured, network_of, precision_of, runtime_of
from advisor.prediction.pooled.networks import at_nearest_size, by_name, known_names, sizes_of
from advisor.prediction.pooled.question import guessed_macs, network_key, pixels_of, rescaled, setup_for, size_of
from advisor.prediction.pooled.setup import Setup
from advisor.prediction.pooled.store import pooled
from advisor.schema import Device, Workload

_UNITS = ("cpu", "gpu", "npu", "mcu")
_KNOWN_PREFIXES = ("timm", "torchvision")


class Unanswered(Exception):
    """Why a row has no prediction."""


@dataclass(frozen=True)
class Question:
    """What a row asks: a setup on a device, a network by its key, and its amounts."""

    device: Device
    setup: Setup
    network: str
    amounts: Amounts
    model: str  # what to open where the layers themselves are needed
    input: str  # its shape as the row has it
    remark: str = ""


def question(row: Mapping[str, str]) -> Question:
    """Read a row; raises Unanswered."""
    device = _device(row)
    measured = _described(row, device)
    setup = setup_for(measured, device)
    if setup is None:
        raise Unanswered(f"{device.name} cannot be described")
    amounts, remark = _amounts(row, measured)
    network = network_key(measured.network, measured.input)
    return Question(device, setup, network, amounts, _model(row), measured.input, remark)


def _model(row: Mapping[str, str]) -> str:
    return row.get("arch") or row.get("model", "")


def _device(row: Mapping[str, str]) -> Device:
    name = row["device"]
    if not name:
        raise Unanswered("the row names no device")
    device = _named(name)
    if isinstance(device, Device):
        return device
    told = described_device(
        row.get("device_name") or name, runtime_of(row.get("runtime", "")), row.get("unit") or "cpu"
    )
    if told is None:
        raise Unanswered(device)
    return told


@lru_cache(maxsize=1024)
def _named(name: str) -> Device | str:
    try:
        return load_device(name)
    except AdvisorError as error:
        return f"{error.what}. {error.remedy}".strip()


def _described(row: Mapping[str, str], device: Device) -> Measured:
    """Fill in what the row leaves open: the runtime and unit that the profile prefers, one image."""
    runtime, unit = runtime_of(row.get("runtime", "")), row.get("unit", "").lower()
    if unit and unit not in _UNITS:
        raise Unanswered(f"unknown unit {unit!r}; use one of {', '.join(_UNITS)}")
    if not runtime or not unit:
        fitting = [p for p in device.paths if unit in ("", p.unit) and runtime in ("", p.runtime)]
        if not fitting:
            ways = ", ".join(path.label for path in device.paths)
            raise Unanswered(f"{device.name} has no way to run this; its ways: {ways}")
        path = next((p for p in fitting if p.preferred), fitting[0])
        runtime, unit = path.runtime, path.unit
    return Measured(
        source=row.get("source", ""), device=row["device"], device_name=row.get("device_name", ""), profile=device.id,
        unit=unit, threads=_whole(row, "threads"), runtime=runtime, precision=precision_of(row),
        batch=_whole(row, "batch") or "1", input=row.get("input", ""),
        network=network_of(row.get("arch", ""), row.get("model", "")), metric=row.get("metric") or "latency",
        published=row.get("published", ""), ms="", macs_g=row.get("macs_g", ""), params_m=row.get("params_m", ""),
    )  # fmt: skip


def _whole(row: Mapping[str, str], name: str) -> str:
    text = row.get(name, "")
    if text and not (text.isdigit() and int(text) > 0):
        raise Unanswered(f"{name} is {text!r}, not a whole number above 0")
    return text


def _number(row: Mapping[str, str], name: str, factor: float) -> float:
    text = row.get(name, "")
    try:
        return float(text) * factor if text else 0.0
    except ValueError:
        raise Unanswered(f"{name} is {text!r}, not a number") from None


def _amounts(row: Mapping[str, str], measured: Measured) -> tuple[Amounts, str]:
    """Return the network's amounts: known ones, a file's, totals that the row states, or nothing but the image."""
    if not measured.network:
        raise Unanswered("the row names no network")
    size = size_of(measured.input)
    known = by_name(measured.network, size)
    if known is not None:
        return known.amounts, "" if size else f"the input is taken as {known.input}"
    if sizes_of(measured.network):
        other = at_nearest_size(measured.network, pixels_of(size))
        assert other is not None  # it has a size
        return rescaled(other.amounts, pixels_of(size)), f"scaled from the network at {other.input}"
    pixels, macs = pixels_of(size), _number(row, "macs_g", 1e9)
    parameters = _number(row, "params_m", 1e6)
    if opens(_model(row)):
        try:
            return amounts_of(opened(_model(row), measured.input)), ""
        except Unanswered:
            if not macs and not parameters:
                raise
    remark = "" if macs else "its MACs are not known"
    if macs or parameters or _measured_somewhere(network_key(measured.network, measured.input)):
        guess = guessed_macs(pooled().guess, parameters, pixels)
        return totals(macs, parameters, pixels, guessed=guess), remark
    hint = nearest(measured.network, known_names())
    raise Unanswered(
        f"unknown network {measured.network!r} and neither params_m nor macs_g is given{'. ' + hint if hint else ''}"
    )


def _measured_somewhere(network: str) -> bool:
    levels = ("network size", "blind network size")
    return any(unit.seen(level, network) for unit in pooled().units.values() for level in levels)


def opens(name: str) -> bool:
    """Whether a model can be opened by this name: a file, or a network of an installed library."""
    return name.partition(":")[0] in _KNOWN_PREFIXES or (bool(Path(name).suffix) and Path(name).is_file())


@lru_cache(maxsize=256)
def opened(model: str, shape: str) -> Workload:
    """Open and profile a model of a row; profiles are remembered beyond this run."""
    from advisor import pipeline

    try:
        options: dict[str, Any] = {"input_shape": tuple(int(side) for side in shape.split("x"))} if shape else {}
        return pipeline.profile(model, **options)
    except ValueError:
        raise Unanswered(f"input is {shape!r}, not a shape such as 1x3x224x224") from None
    except AdvisorError as error:
        raise Unanswered(f"{error.what}. {error.remedy}".strip()) from error
