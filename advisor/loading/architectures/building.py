"""From an architecture and what is known of its weights to a network; weights are random with a fixed seed."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from advisor.errors import ModelLoadError, first_line

from . import from_function, from_hub, from_timm, from_torchvision, from_ultralytics
from .names import Architecture, architecture
from .settings import Settings, settings_for

_SEED = 0
_BUILDERS: Mapping[str, Callable[[str, Settings], nn.Module]] = {
    "timm": from_timm.build,
    "torchvision": from_torchvision.build,
    "ultralytics": from_ultralytics.build,
    "hf-hub": from_hub.build,
    "python": from_function.build,
}


def build(
    arch: str,
    weights: Mapping[str, Tensor] | None = None,
    input_shape: tuple[int, ...] | None = None,
    *,
    trust: bool = False,
    wanted: Settings | None = None,
) -> nn.Module:
    """Create the network in evaluation mode; classes, input channels and image size follow weights and input.

    `wanted` overrules what the weights say, for weights that are not in the network's own naming. `trust` allows
    `python:MODULE:FUNCTION`, which runs the user's code.
    """
    found = architecture(arch)
    if found.source == "python" and not trust:
        raise ModelLoadError(
            f"{found} runs code of your own, which happens only on your word",
            where="importing the module and calling the function can do anything that you can do",
            remedy="If you know that code, repeat with --trust.",
        )
    settings = settings_for(found, weights, input_shape, wanted or Settings())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_SEED)
        try:
            return _BUILDERS[found.source](found.name, settings).eval()
        except ModelLoadError:
            raise
        except Exception as error:
            raise ModelLoadError(
                f"{found.source} cannot build {found.name!r} with {settings}",
                where=f"{type(error).__name__}: {first_line(error)}",
                remedy="Check that the checkpoint and the input shape belong to this architecture.",
            ) from error


def brings_weights(arch: Architecture) -> bool:
    """Tell whether the network comes with trained weights, or may do so."""
    return arch.source in ("hf-hub", "python")
