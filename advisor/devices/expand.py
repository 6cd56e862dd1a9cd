"""From the readable file format to the fields of `Device`: paths keyed by 'runtime/unit', shared sources, peaks."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from advisor.schema import Core, Device

from .cores import CoreKind, derived_peaks

FILE_KEYS = ("extends", "abstract", "cites", "unit_peaks_gmacs")  # of the file format, beside the fields of Device
_CPU_UNITS = ("cpu", "mcu")
_CORES = TypeAdapter(tuple[Core, ...])


@dataclass(frozen=True)
class Shared:
    """What all profiles may refer to."""

    sources: Mapping[str, Any]
    cores: dict[str, CoreKind]


def expand(data: Mapping[str, Any], shared: Shared) -> dict[str, Any]:
    """Return the keyword arguments of `Device`; wrong shapes are passed on for the validation to name them."""
    fields = {key: value for key, value in data.items() if key not in FILE_KEYS}
    if isinstance(data.get("paths"), Mapping):
        fields["paths"] = _paths(data, shared)
    fields["sources"] = _sources(data, fields, shared)
    return fields


def path_labels(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the 'runtime/unit' keys in the order of `Device.paths`: preferred ones first, then accelerators."""
    paths = data.get("paths")
    if not isinstance(paths, Mapping):
        return ()
    return tuple(sorted(paths, key=lambda label: (not _preferred(paths[label]), str(label).endswith("/cpu"))))


def _preferred(path: Any) -> bool:
    return isinstance(path, Mapping) and bool(path.get("preferred"))


def _paths(data: Mapping[str, Any], shared: Shared) -> list[Any]:
    expanded = []
    cores = _cores(data)
    for label in path_labels(data):
        path = data["paths"][label]
        runtime, _, unit = str(label).partition("/")
        if isinstance(path, Mapping):
            path = {"runtime": runtime, "unit": unit, **path}
            path["peak_gmacs"] = _peaks(data, path, cores, shared)
        expanded.append(path)
    return expanded


def _cores(data: Mapping[str, Any]) -> tuple[Core, ...]:
    """Return the CPU's clusters, or none where they are wrong: the whole profile is validated afterwards."""
    cpu = data.get("cpu")
    try:
        return _CORES.validate_python(cpu.get("cores", ())) if isinstance(cpu, Mapping) else ()
    except ValidationError:
        return ()


def _peaks(data: Mapping[str, Any], path: Mapping[str, Any], cores: tuple[Core, ...], shared: Shared) -> Any:
    """Fill a path's peaks: its own figures, else the file's for the unit, else (CPU) cores x GHz x MAC per cycle."""
    own, precisions = path.get("peak_gmacs", {}), path.get("precisions", ())
    by_unit = data.get("unit_peaks_gmacs")
    of_unit = by_unit.get(path["unit"], {}) if isinstance(by_unit, Mapping) else {}
    if not (isinstance(own, Mapping) and isinstance(of_unit, Mapping) and isinstance(precisions, list)):
        return own
    peaks: dict[str, Any] = {}
    if path["unit"] in _CPU_UNITS:
        peaks.update(derived_peaks(cores, precisions, shared.cores, path.get("threads")))
    peaks.update({p: figure for p, figure in of_unit.items() if p in precisions})
    return {**peaks, **own}


def _sources(data: Mapping[str, Any], fields: Mapping[str, Any], shared: Shared) -> Any:
    """Join the profile's own sources with the shared ones that its figures use or that it cites."""
    own = data.get("sources", {})
    cites = data.get("cites", ())
    if not isinstance(own, Mapping) or not isinstance(cites, list | tuple):
        return own
    wanted = {*cites, *_source_keys({key: fields[key] for key in fields if key in Device.model_fields})}
    return {**{key: shared.sources[key] for key in sorted(map(str, wanted)) if key in shared.sources}, **own}


def _source_keys(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("source"), str) and value["source"]:
            yield str(value["source"])
        items: Iterable[Any] = value.values()
    else:
        items = value
    for item in items:
        if isinstance(item, Mapping | list | tuple):
            yield from _source_keys(item)
