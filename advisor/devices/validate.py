"""Turn a profile into a `Device`, and every mistake into an error with file, dotted key and the nearest valid name."""

import types
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from advisor.errors import DeviceError, nearest
from advisor.schema import Device
from advisor.schema.device import Precision, Unit

from .expand import FILE_KEYS, Shared, expand, path_labels
from .inherit import Resolved
from .vocabulary import Vocabulary
from .yamlfile import read_mapping


def to_device(resolved: Resolved, device_id: str, shared: Shared, words: Vocabulary) -> Device:
    """Build the record or raise DeviceError."""
    file = resolved.chain[0]
    given = resolved.data.get("id", device_id)
    if given != device_id:
        raise DeviceError(
            f"the id {given!r} differs from the file name", where=f"{file}: id", remedy="Rename one of the two."
        )
    _check_names(resolved, shared, words)
    try:
        return Device.model_validate({**expand(resolved.data, shared), "id": device_id})
    except ValidationError as error:
        raise _translate(error, resolved) from error


def _check_names(resolved: Resolved, shared: Shared, words: Vocabulary) -> None:
    """Check the names that the schema leaves open: runtimes, instruction sets, architectures, cited sources."""
    data = resolved.data
    paths, cpu = data.get("paths"), data.get("cpu")
    if paths is not None and not isinstance(paths, Mapping):
        raise _wrong(resolved, "paths", "paths is a mapping of 'runtime/unit' to its settings", "Write 'ncnn/cpu:'.")
    for label in paths or ():
        runtime, _, unit = str(label).partition("/")
        if not unit:
            raise _wrong(resolved, f"paths.{label}", f"{label!r} is not 'runtime/unit'", "Write 'onnxruntime/cpu'.")
        _known(resolved, f"paths.{label}", "runtime", runtime, words.runtimes)
    if isinstance(cpu, Mapping):
        for name in cpu.get("isa") or ():
            _known(resolved, "cpu.isa", "instruction set", str(name), words.isa)
        if "arch" in cpu:
            _known(resolved, "cpu.arch", "architecture", str(cpu["arch"]), words.arch)
    for unit, peaks in (data.get("unit_peaks_gmacs") or {}).items():
        _known(resolved, f"unit_peaks_gmacs.{unit}", "unit", str(unit), get_args(Unit))
        for precision in peaks or ():
            key = f"unit_peaks_gmacs.{unit}.{precision}"
            _known(resolved, key, "precision", str(precision), get_args(Precision))
    own = data.get("sources")
    for key in data.get("cites") or ():
        _known(resolved, "cites", "source", str(key), [*shared.sources, *(own if isinstance(own, Mapping) else ())])


def _known(resolved: Resolved, key: str, what: str, name: str, known: Iterable[str]) -> None:
    names = list(known)
    if name not in names:
        raise _wrong(resolved, key, f"unknown {what} {name!r}", nearest(name, names) or f"Known: {', '.join(names)}.")


def _wrong(resolved: Resolved, key: str, what: str, remedy: str) -> DeviceError:
    return DeviceError(what, where=f"{_file_of(resolved, key.split('.'))}: {key}", remedy=remedy)


def _file_of(resolved: Resolved, keys: Sequence[str]) -> Path:
    """Return the file of the chain that says this key; the profile itself where none does (a missing key)."""
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


def _translate(error: ValidationError, resolved: Resolved) -> DeviceError:
    details = error.errors(include_url=False)
    keys, what, remedy = _explain(details[0], resolved)
    if len(details) > 1:
        others = (".".join(_keys(d["loc"], resolved)) for d in details[1:4])
        what += f" (and {len(details) - 1} more: {', '.join(others)})"
    return _wrong(resolved, ".".join(keys), what, remedy)


def _explain(detail: Any, resolved: Resolved) -> tuple[list[str], str, str]:
    """Return the dotted key, what is wrong and what to do, for one pydantic error."""
    loc, kind, value = detail["loc"], detail["type"], detail.get("input")
    keys = _keys(loc, resolved)
    if kind == "extra_forbidden":
        fields = _fields_at(loc[:-1])
        hint = nearest(keys[-1], fields) or f"Known keys here: {', '.join(fields)}."
        if value is None and " " in keys[-1]:
            hint = "A comma ends a text inside braces: put the text in quotes."
        return keys, f"unknown key {keys[-1]!r}", hint
    if kind == "literal_error":
        choices = [str(choice) for choice in _choices_at(loc)]
        hint = nearest(str(value), choices)
        return keys, f"{value!r} is not a valid value", " ".join(filter(None, (hint, f"One of {', '.join(choices)}.")))
    if kind == "missing":
        return keys, f"the key {keys[-1]!r} is missing", "Add it, or inherit it with 'extends:'."
    if kind == "value_error":
        return keys or ["sources"], str(detail["ctx"]["error"]), "Give every figure an origin that 'sources' names."
    if kind in ("model_type", "model_attributes_type"):
        fields = _fields_at(loc)
        return keys, f"{value!r} has no keys", f"Write a mapping such as {{{fields[0]}: ...}}."
    return keys, f"{value!r}: {detail['msg'].lower()}", "Correct the value."


def _keys(loc: Sequence[int | str], resolved: Resolved) -> list[str]:
    """Write a pydantic location as keys of the file: paths by label, list items by number."""
    labels = path_labels(resolved.data)
    keys = [str(step) for step in loc if step != "[key]"]
    if len(loc) > 1 and loc[0] == "paths" and isinstance(loc[1], int) and loc[1] < len(labels):
        keys[1] = labels[loc[1]]
        if keys[2:3] in (["unit"], ["runtime"]):
            del keys[2]  # both are part of the label
    return keys


def _fields_at(loc: Sequence[int | str]) -> list[str]:
    model = _annotation_at(loc)
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return []
    return [*model.model_fields, *(FILE_KEYS if model is Device else ())]


def _choices_at(loc: Sequence[int | str]) -> tuple[Any, ...]:
    annotation = _annotation_at(loc)
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def _annotation_at(loc: Sequence[int | str]) -> Any:
    """Follow a location through the annotations of `Device`, through optionals, tuples and dictionaries."""
    annotation: Any = Device
    for position, step in enumerate(loc):
        if step == "[key]":
            continue
        annotation = _plain(annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            field = annotation.model_fields.get(str(step))
            annotation = field.annotation if field else None
        elif get_origin(annotation) is tuple:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) is dict:
            key, value = get_args(annotation)
            annotation = key if loc[position + 1 : position + 2] == ("[key]",) else value
        else:
            return None
    return _plain(annotation)


def _plain(annotation: Any) -> Any:
    """Strip `| None`."""
    if get_origin(annotation) in (Union, types.UnionType):
        return next((a for a in get_args(annotation) if a is not types.NoneType), annotation)
    return annotation
