"""Runtimes that work on this machine, by name; each is one file, and none is imported before it is asked for."""

from importlib import import_module

from advisor.errors import NotApplicable, nearest

from .runtime import Array, Placement, Runtime, Session

_LOCAL = {"onnxruntime": "OnnxRuntime", "pytorch": "PyTorch"}

__all__ = ["Array", "Placement", "Runtime", "Session", "get", "names"]


def names() -> tuple[str, ...]:
    """Names of the runtimes that advisor can run here."""
    return tuple(_LOCAL)


def get(name: str) -> Runtime:
    """Return the runtime of this name, ready to use."""
    if name not in _LOCAL:
        raise NotApplicable(
            f"the runtime {name!r} does not run on this machine",
            remedy=nearest(name, _LOCAL) or f"Runtimes here: {', '.join(_LOCAL)}.",
        )
    runtime: Runtime = getattr(import_module(f".{name}", __name__), _LOCAL[name])()
    if not runtime.available():
        raise NotApplicable(f"the runtime {name!r} is not installed", remedy=f"Install the package {name!r}.")
    return runtime
