"""Runtimes that work on this machine, by name; each is one file, and none is imported before it is asked for.

Packages bring others through the entry points `advisor.runtimes`: name = "module:Class", a class like those here.
"""

import importlib.util
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from advisor.errors import NotApplicable, nearest

if TYPE_CHECKING:
    from advisor.schema import Device, Goal, Plan

from .runtime import Array, Placement, Runtime, Session

GROUP = "advisor.runtimes"
_LOCAL = {
    "onnxruntime": "OnnxRuntime",
    "pytorch": "PyTorch",
    "aotinductor": "AotInductor",
    "openvino": "OpenVino",
    "ncnn": "Ncnn",
    "executorch": "ExecuTorch",
    "tflite": "LiteRt",
}
_ALIASES = {"litert": "tflite"}

__all__ = ["Array", "Placement", "Runtime", "Session", "check_installed", "get", "measured_in", "names"]


def names() -> tuple[str, ...]:
    """Names of the runtimes that advisor can run here, installed or not; those of other packages come last."""
    return (*_LOCAL, *(name for name in sorted(_foreign()) if name not in _LOCAL))


def get(name: str) -> Runtime:
    """Return the runtime of this name, ready to use; NotApplicable says what to install."""
    name = _ALIASES.get(name, name)
    if name not in names():
        raise NotApplicable(
            f"the runtime {name!r} does not run on this machine",
            remedy=nearest(name, names()) or f"Runtimes here: {', '.join(names())}.",
        )
    runtime: Runtime = _load(name)
    if not runtime.available():
        wanted = f"Install advisor[{runtime.extra}]." if runtime.extra else f"Install the package {name!r}."
        raise NotApplicable(f"the runtime {name!r} is not installed", remedy=getattr(runtime, "remedy", "") or wanted)
    return runtime


def measured_in(plan: "Plan", device: str) -> str:
    """Return the runtime that measures a plan here: the plan's own if the target is this machine, else ONNX Runtime.

    On other devices the plan's runtime may be built otherwise; what is measured here only stands in for it.
    """
    here = device == "host" and plan.unit == "cpu" and plan.runtime in names()
    return plan.runtime if here and plan.runtime != "pytorch" else "onnxruntime"


def check_installed(device: "Device", goal: "Goal") -> None:
    """Refuse a goal that asks this machine for a runtime that it could have but has not, and say what to install."""
    name = _ALIASES.get(goal.runtime or "", goal.runtime)
    if device.id == "host" and name in names() and device.path(name) is None:
        get(name)


def _load(name: str) -> Runtime:
    if name in _LOCAL:
        return getattr(import_module(f".{name}", __name__), _LOCAL[name])()  # type: ignore[no-any-return]
    try:
        return _foreign()[name].load()()  # type: ignore[no-any-return]
    except Exception as error:  # a stranger's code: whatever it raises, the name of its package is what helps
        found = _foreign()[name]
        raise NotApplicable(
            f"the runtime {name!r} cannot be loaded: {error}",
            where=f"entry point {found.value} of {found.dist.name if found.dist else 'an unknown package'}",
            remedy="Update or remove that package.",
        ) from error


def _foreign() -> dict[str, EntryPoint]:
    return {one.name: one for one in entry_points(group=GROUP)}


def present(package: str) -> bool:
    """Whether a package can be imported, found without importing it."""
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False
