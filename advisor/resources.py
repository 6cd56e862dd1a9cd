"""Where the shipped data lie: `knowledge/` and `profiles/`, in a checkout beside the package, in a wheel inside it."""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from .errors import KnowledgeError

R = TypeVar("R", bound=BaseModel)
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


def read_record(path: Path, shape: type[R]) -> R:
    """Read a YAML file of the knowledge as a record; one that does not fit is refused with its first mistake."""
    try:
        return shape.model_validate(read_yaml(path))
    except (ValidationError, yaml.YAMLError, OSError) as error:
        what = first_mistake(error) if isinstance(error, ValidationError) else " ".join(str(error).split())
        remedy = "Restore the file from the release, or correct what is named above"
        raise KnowledgeError(f"{path.name} cannot be used: {what}", where=str(path), remedy=remedy) from error


def first_mistake(error: ValidationError) -> str:
    """Write 'field: what is wrong with it' of the first mistake in a record."""
    first = error.errors()[0]
    return f"{'.'.join(str(part) for part in first['loc']) or 'the whole'}: {first['msg']}"
