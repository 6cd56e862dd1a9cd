"""timm networks from the Hugging Face hub, with their weights; nothing but tensors is read from them."""

import os
import re
import socket
import urllib.request
from urllib.parse import urlsplit

import timm
from torch import nn

from advisor.errors import ModelLoadError, first_line

from .settings import Settings

_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*(@[\w.-]+)?", re.ASCII)
_PATIENCE_S = 5.0  # for the first connection; the hub's own retries would take half a minute to say the same


def build(name: str, settings: Settings) -> nn.Module:
    """Download the network's description and weights, or take them from the hub's cache."""
    del settings  # the weights on the hub decide
    if not _NAME.fullmatch(name):
        raise ModelLoadError(f"{name!r} is no name on the hub", where=f"hf-hub:{name}", remedy="Write hf-hub:ORG/NAME.")
    try:
        if not _cached(name) and (obstacle := _obstacle()):
            raise _unreachable(name, obstacle)
        module: nn.Module = timm.create_model(f"hf-hub:{name}", pretrained=True)
    except ModelLoadError:
        raise
    except Exception as error:
        raise _unreachable(name, f"{type(error).__name__}: {first_line(error)}") from error
    return module


def _cached(name: str) -> bool:
    from huggingface_hub import try_to_load_from_cache

    repository, _, revision = name.partition("@")
    return isinstance(try_to_load_from_cache(repository, "config.json", revision=revision or None), str)


def _obstacle() -> str:
    """Say what keeps the hub from being reached, or nothing; behind a proxy that is left to the download."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE forbids downloads and the network is not in the cache"
    address = urlsplit(constants.ENDPOINT)
    if urllib.request.getproxies() or not address.hostname:
        return ""
    port = address.port or (80 if address.scheme == "http" else 443)
    try:
        socket.create_connection((address.hostname, port), timeout=_PATIENCE_S).close()
    except OSError as error:
        return f"{address.hostname} cannot be reached: {error.strerror or error}"
    return ""


def _unreachable(name: str, why: str) -> ModelLoadError:
    folder = os.environ.get("HF_HOME", "~/.cache/huggingface")
    return ModelLoadError(
        f"the network {name!r} cannot be had from the Hugging Face hub",
        where=why,
        remedy=f"Check the name and the connection, or copy the network into {folder} from another machine.",
    )
