"""What to tell a user whose checkpoint asks for more than it may have: by name, with the option that would allow it."""

import sys
from pathlib import Path

from advisor.errors import ModelLoadError

from .packages import defines_class

_LISTED = 8
_TRUST = "--trust, which runs whatever code the file asks for"
_REPARAMETRIZED = ("torch.nn.utils.", "timm.layers.weight_norm")
_COMPILING = ("torch.fx.", "torch.jit.", "torchvision.models.feature_extraction.", "timm.models._features_fx.")
_NO_PACKAGES = frozenset(("torch", "torchvision", "timm", "numpy", *sys.stdlib_module_names))


def names_refusal(path: Path, names: list[str]) -> ModelLoadError:
    """Refuse names that are not on the list of safe types."""
    return ModelLoadError(
        f"the checkpoint asks for code that is not on the list of safe types: {_some(names)}",
        where=str(path),
        remedy=_remedy(names),
    )


def calls_refusal(path: Path, names: list[str]) -> ModelLoadError:
    """Refuse calls that torch.save never writes."""
    return ModelLoadError(
        "the checkpoint calls layers or functions with arguments of its own, which no honest file does",
        where=f"{path}: {_some(names)}",
        remedy="Do not use this file unless you know its author; --trust would run it.",
    )


def plain_pickle_refusal(path: Path, names: list[str]) -> ModelLoadError:
    """Refuse a pickle that torch.save did not write."""
    tops = {name.partition(".")[0] for name in names}
    writer = next((name for name in ("joblib", "cloudpickle", "dill", "sklearn", "numpy") if name in tops), "")
    return ModelLoadError(
        f"the file is a plain pickle{f' of {writer}' if writer else ''}, not a checkpoint of torch.save",
        where=f"{path}: it asks for {_some(names)}" if names else str(path),
        remedy=f"Save the weights with torch.save(model.state_dict(), FILE); if you trust its author, use {_TRUST}.",
    )


def _remedy(names: list[str]) -> str:
    if any(name.startswith(_REPARAMETRIZED) for name in names):
        return (
            "Take weight normalisation, parametrizations and pruning masks off before saving "
            "(torch.nn.utils.remove_weight_norm, parametrize.remove_parametrizations, prune.remove), "
            f"or save the state dict; if you trust its author, use {_TRUST}."
        )
    if any(name.startswith(_COMPILING) for name in names):
        return (
            "Such a network carries code. Save the network that it was made from, its state dict, or an ONNX export; "
            f"if you trust its author, use {_TRUST}."
        )
    packages = sorted({name.partition(".")[0] for name in names if _is_class(name)})
    remedy = "Save the state dict instead and name the network with --arch"
    if packages:
        options = " ".join(f"--allow-package {package}" for package in packages)
        remedy = f"If these are layers of packages that you trust, use {options}; or save the state dict instead"
    if any(name.startswith("__main__.") for name in names):
        remedy += " (the class was defined in the script that saved it, so that no other program can find it)"
    modules = sorted({name.rpartition(".")[0] for name in names})
    where = f"the module{'s' if len(modules) > 1 else ''} {_some(modules)} must be on PYTHONPATH"
    return f"{remedy}; or, if you trust its author, use {_TRUST} ({where})."


def _is_class(name: str) -> bool:
    """Tell whether an installed package defines a class of this name; nothing is imported for it."""
    module, _, attribute = name.rpartition(".")
    return module.partition(".")[0] not in _NO_PACKAGES and bool(module) and defines_class(module, attribute)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return ", ".join(names[:_LISTED]) + more
