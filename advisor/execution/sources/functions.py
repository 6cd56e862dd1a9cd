"""Data that a function of the user's gives; the function is the user's own code and runs with the user's rights."""

import importlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from advisor.errors import AdvisorError, DataError, nearest
from advisor.importing import working_directory_importable

from ..items import Listing
from ..tasks import Task
from .arrays import Arrays, list_arrays
from .datasets import first_line, list_datasets

_RETURNS = (
    "Return a dataset, (train, test), {'train': ..., 'test': ...}, {'images': array, 'labels': array}, "
    "or a task with one of these as its data (docs/data.md)."
)


def list_function(text: str, origin: str) -> Listing:
    """Call MODULE:FUNCTION without arguments, with the working directory importable, and list what it returns."""
    where, colon, called = text.partition(":")
    if not (colon and where and called):
        raise DataError(f"{text!r} names no function", where=origin, remedy="Write python:MODULE:FUNCTION.")
    try:
        with working_directory_importable():
            made = _find(importlib.import_module(where), called, origin)()
    except AdvisorError:
        raise
    except (Exception, SystemExit) as error:  # the user's code may raise anything
        raise DataError(
            f"{text} gives no data: {type(error).__name__}: {first_line(error)}",
            where=origin,
            remedy="Mend that code; its folder must be the working directory or on PYTHONPATH.",
        ) from error
    return list_given(made, origin)


def list_given(made: Any, origin: str) -> Listing:
    """List what a function returned: a task with data, or data alone."""
    task = made if isinstance(made, Task) else None
    data = made.data if isinstance(made, Task) else made
    if data is None:
        raise DataError("the task has no data", where=origin, remedy=_RETURNS)
    if isinstance(data, tuple) and len(data) == 2 and all(isinstance(v, np.ndarray) for v in data):
        data = {"images": data[0], "labels": data[1]}
    if isinstance(data, Mapping) and data and all(isinstance(v, np.ndarray) for v in data.values()):
        arrays: Mapping[str, Any] = data
        shapes = {name: (array.shape, array.dtype) for name, array in arrays.items()}
        return list_arrays(Arrays(shapes, lambda key: arrays[key], origin, "python"))
    if isinstance(data, tuple):
        names = {1: ("",), 2: ("train", "test"), 3: ("train", "val", "test")}.get(len(data))
        if names is None:
            raise DataError(f"{len(data)} datasets are too many", where=origin, remedy=_RETURNS)
        data = dict(zip(names, data, strict=True))
    if not isinstance(data, Mapping):
        data = {"": data}
    classes = tuple(str(name) for name in getattr(task, "classes", ()) or ())
    kind = None if task is None or task.name == "classification" else task
    listing = list_datasets({str(name): part for name, part in data.items()}, origin, "python", kind, classes)
    return listing


def _find(module: Any, called: str, origin: str) -> Any:
    function = getattr(module, called, None)
    if not callable(function):
        known = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
        raise DataError(
            f"the module {module.__name__} has no function {called!r}",
            where=origin,
            remedy=nearest(called, known) or f"It has {', '.join(known[:8]) or 'none'}.",
        )
    return function
