"""Networks made by a function of the user's; this runs the user's code and is reached only with trust."""

import importlib
import sys
from typing import Any

from torch import nn

from advisor.errors import ModelLoadError, first_line, nearest
from advisor.importing import working_directory_importable

from .settings import Settings


def build(name: str, settings: Settings) -> nn.Module:
    """Import the module, call the function without arguments and take the network that it returns."""
    del settings  # the function knows what it makes
    where, colon, called = name.partition(":")
    if not (colon and where and called):
        raise ModelLoadError(
            f"{name!r} names no function", where=f"python:{name}", remedy="Write python:MODULE:FUNCTION."
        )
    try:
        with working_directory_importable():
            function = _find(importlib.import_module(where), called)
            made = function()
    except ModelLoadError:
        raise
    except (Exception, SystemExit) as error:
        raise ModelLoadError(
            f"python:{name} does not make a network: {type(error).__name__}",
            where=first_line(error),
            remedy="Mend that code; its folder must be the working directory or on PYTHONPATH.",
        ) from error
    if not isinstance(made, nn.Module):
        raise ModelLoadError(
            f"python:{name} returns {type(made).__name__}, not a network",
            where=str(getattr(sys.modules[where], "__file__", where)),
            remedy="Let the function return the torch.nn.Module.",
        )
    return made


def _find(module: Any, called: str) -> Any:
    function = getattr(module, called, None)
    if not callable(function):
        known = [name for name, value in vars(module).items() if callable(value)]
        raise ModelLoadError(
            f"the module {module.__name__} has no function {called!r}",
            where=str(getattr(module, "__file__", "")),
            remedy=nearest(called, known) or "Write python:MODULE:FUNCTION.",
        )
    return function
