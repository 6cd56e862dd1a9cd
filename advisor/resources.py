"""Where the shipped data lie: `knowledge/` and `profiles/`, in a checkout beside the package, in a wheel inside it."""

from pathlib import Path
from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where it is built in, ten times faster
_PACKAGE = Path(__file__).resolve().parent


def data_dir(name: str) -> Path:
    """Return the folder `knowledge` or `profiles`."""
    for root in (_PACKAGE / "_data", _PACKAGE.parent):
        if (root / name).is_dir():
            return root / name
    raise FileNotFoundError(f"the folder {name!r} is missing from this installation of advisor")


def read_yaml(path: Path) -> Any:
    """Read a YAML file safely; errors are yaml.YAMLError and OSError."""
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
