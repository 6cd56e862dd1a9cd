"""ultralytics networks by the descriptions that the package ships; the package is optional and imported here alone."""

import importlib
import re
from pathlib import Path
from typing import Any

from torch import nn

from advisor.errors import ModelLoadError, nearest

from .settings import Settings

_SCALE = re.compile(r"(\d+)([nslmx])(?=\.|-|$)")  # yolov8n.yaml is yolov8.yaml at scale n
_NAME = re.compile(r"[\w.-]+\.yaml")


def build(name: str, settings: Settings) -> nn.Module:
    """Create an ultralytics network; descriptions from elsewhere are refused, because the package evaluates them."""
    try:
        package: Any = importlib.import_module("ultralytics")
    except ImportError as error:
        raise ModelLoadError(
            "the package ultralytics is not installed",
            where=f"ultralytics:{name}",
            remedy="Install it with python -m pip install ultralytics (its licence is AGPL-3.0).",
        ) from error
    described = _description(name, Path(package.__file__).parent / "cfg" / "models")
    network = package.YOLO(str(described)).model
    changed = {"nc": settings.classes, "ch": settings.channels}
    wanted = {key: value for key, value in changed.items() if value and value != network.yaml.get(key)}
    if wanted:
        network = type(network)({**network.yaml, **wanted}, verbose=False)
    if not isinstance(network, nn.Module):
        raise TypeError(f"ultralytics made {type(network).__name__}")
    return network


def _description(name: str, folder: Path) -> Path:
    """Return the path by which ultralytics finds a shipped description; the scale stays in the name."""
    shipped = {path.name: path for path in folder.rglob("*.yaml")}
    found = shipped.get(name) or shipped.get(_SCALE.sub(r"\1", name)) if _NAME.fullmatch(name) else None
    if found is None:
        raise ModelLoadError(
            f"ultralytics ships no network called {name!r}",
            where=str(folder),
            remedy=nearest(name, shipped) or f"Write one of {', '.join(sorted(shipped)[:6])}, ...",
        )
    return found.with_name(name)
