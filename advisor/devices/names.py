"""Checks before the schema's: the shape of the file's own keys, and names that the schema leaves open."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from advisor.errors import DeviceError, nearest
from advisor.schema.device import Precision, Unit

from .expand import Shared
from .inherit import Resolved
from .vocabulary import Vocabulary
from .yamlfile import read_mapping

_MAPPINGS = ("cpu", "paths", "sources", "unit_peaks_gmacs")
_LISTS = ("aliases", "cites")


def mistake(resolved: Resolved, key: str, what: str, remedy: str) -> DeviceError:
    """Return the error for a dotted key; it names the file of the chain that says the key."""
    return DeviceError(what, where=f"{_file_of(resolved, key.split('.'))}: {key}", remedy=remedy)


def check_names(resolved: Resolved, shared: Shared, words: Vocabulary) -> None:
    """Raise for wrong shapes, unknown runtimes, instruction sets, architectures, units and cited sources."""
    data = resolved.data
    _check_shapes(resolved)
    for label in data.get("paths", ()):
        runtime, _, unit = str(label).partition("/")
        if not unit:
            raise mistake(resolved, f"paths.{label}", f"{label!r} is not 'runtime/unit'", "Write 'onnxruntime/cpu'.")
        _known(resolved, f"paths.{label}", "runtime", runtime, words.runtimes)
    cpu = data.get("cpu", {})
    for name in cpu.get("isa", ()):
        _known(resolved, "cpu.isa", "instruction set", str(name), words.isa)
    if "arch" in cpu:
        _known(resolved, "cpu.arch", "architecture", str(cpu["arch"]), words.arch)
    for unit, peaks in data.get("unit_peaks_gmacs", {}).items():
        _known(resolved, f"unit_peaks_gmacs.{unit}", "unit", str(unit), get_args(Unit))
        for precision in peaks:
            _known(resolved, f"unit_peaks_gmacs.{unit}", "precision", str(precision), get_args(Precision))
    for key in data.get("cites", ()):
        _known(resolved, "cites", "source", str(key), [*shared.sources, *data.get("sources", {})])


def _check_shapes(resolved: Resolved) -> None:
    data = resolved.data
    for key in _MAPPINGS:
        _shaped(resolved, key, data.get(key, {}), Mapping)
    for key in _LISTS:
        _shaped(resolved, key, data.get(key, []), list)
    _shaped(resolved, "cpu.isa", data.get("cpu", {}).get("isa", []), list)
    for unit, peaks in data.get("unit_peaks_gmacs", {}).items():
        _shaped(resolved, f"unit_peaks_gmacs.{unit}", peaks, Mapping)


def _shaped(resolved: Resolved, key: str, value: Any, shape: type) -> None:
    if not isinstance(value, shape):
        what, remedy = (
            ("a list", "Write [a, b].") if shape is list else ("a mapping", "Write 'key: value' lines below.")
        )
        raise mistake(resolved, key, f"{key} is {what}, not {value!r}", remedy)


def _known(resolved: Resolved, key: str, what: str, name: str, known: Iterable[str]) -> None:
    names = list(known)
    if name not in names:
        raise mistake(resolved, key, f"unknown {what} {name!r}", nearest(name, names) or f"Known: {', '.join(names)}.")


def _file_of(resolved: Resolved, keys: Sequence[str]) -> Path:
    """Return the first file of the chain that says this key, or the nearest key above it."""
    for path in resolved.chain:
        value: Any = read_mapping(path)
        for key in keys:
            if isinstance(value, Mapping) and key in value:
                value = value[key]
            else:
                break
        else:
            return path
    return _file_of(resolved, keys[:-1]) if len(keys) > 1 else resolved.chain[0]
