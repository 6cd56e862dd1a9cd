"""Turn a profile into a `Device`, and every mistake into an error with file, dotted key and the nearest valid name."""

import types
from collections.abc import Sequence
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from advisor.errors import DeviceError, nearest
from advisor.schema import Device

from .expand import FILE_KEYS, Shared, expand, path_labels
from .inherit import Resolved
from .names import check_names, mistake
from .vocabulary import Vocabulary


def to_device(resolved: Resolved, device_id: str, shared: Shared, words: Vocabulary) -> Device:
    """Build the record or raise DeviceError."""
    file = resolved.chain[0]
    given = resolved.data.get("id", device_id)
    if given != device_id:
        raise DeviceError(
            f"the id {given!r} differs from the file name", where=f"{file}: id", remedy="Rename one of the two."
        )
    check_names(resolved, shared, words)
    try:
        return Device.model_validate({**expand(resolved.data, shared), "id": device_id})
    except ValidationError as error:
        raise _translate(error, resolved) from error


def _translate(error: ValidationError, resolved: Resolved) -> DeviceError:
    details = error.errors(include_url=False)
    keys, what, remedy = _explain(details[0], resolved)
    if len(details) > 1:
        others = (".".join(_keys(d["loc"], resolved)) for d in details[1:4])
        what += f" (and {len(details) - 1} more: {', '.join(others)})"
    return mistake(resolved, ".".join(keys), what, remedy)


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
