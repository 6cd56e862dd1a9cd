"""timm networks from the Hugging Face hub, with their weights; nothing but tensors is read from them."""

import os
import socket
import urllib.request
from urllib.parse import urlsplit

import timm
from torch import nn

from advisor.errors import ModelLoadError

from ..rehearsal import first_line
from .settings import Settings

_PATIENCE_S = 5.0  # for the first connection; the hub's own retries would take half a minute to say the same


def build(name: str, settings: Settings) -> nn.Module:
    """Download the network's description and weights, or take them from the hub's cache."""
    del settings  # the weights on the hub decide
    _check_name(name)
    if not _cached(name) and (obstacle := _obstacle()):
        raise _unreachable(name, obstacle)
    try:
        module: nn.Module = timm.create_model(f"hf-hub:{name}", pretrained=True)
    except Exception as error:
        raise _unreachable(name, f"{type(error).__name__}: {first_line(error)}") from error
    return module


def _check_name(name: str) -> None:
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    repository = name.partition("@")[0]
    try:
        validate_repo_id(repository)
    except HFValidationError as error:
        raise _no_name(name, first_line(error)) from error
    if "/" not in repository:
        raise _no_name(name, "the organisation is missing")


def _no_name(name: str, why: str) -> ModelLoadError:
    return ModelLoadError(f"{name!r} is no name on the hub", where=why, remedy="Write hf-hub:ORG/NAME.")


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
