"""Datasets of torchvision and timm by name; nothing is downloaded unless the name says so."""

import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from advisor.errors import DataError, nearest

from ..items import Listing
from .datasets import first_line, list_datasets

ROOT = "data"  # where torchvision's own examples keep datasets, in the working directory
_OPTION = re.compile(r":(?=(?:root|download|train|validation|test)=|download$)")
_SPLITS = {"train": ("train", "trainval"), "validation": ("val", "valid", "validation"), "test": ("test",)}


def options_of(text: str) -> tuple[str, dict[str, str]]:
    """Read NAME[:root=DIR][:download]."""
    name, *rest = _OPTION.split(text)
    given = {key: value if equals else "yes" for key, equals, value in (part.partition("=") for part in rest)}
    if given.get("download", "no") not in ("yes", "no"):
        raise DataError(
            f"download={given['download']} is neither yes nor no", where=text, remedy="Write :download=yes, or nothing."
        )
    return name, given


def _written(kind: str, name: str, given: dict[str, str]) -> str:
    """Write the name so that it means the same from any working directory."""
    if "root" in given:
        given["root"] = str(Path(given["root"]).expanduser().resolve())
    return ":".join((kind, name, *(f"{key}={value}" for key, value in given.items() if key != "download")))


def list_torchvision(text: str) -> Listing:
    """List a classification dataset of torchvision; its own splits are kept."""
    from torchvision import datasets

    name, given = options_of(text)
    origin = _written("torchvision", name, given)
    known = {n: c for n, c in vars(datasets).items() if inspect.isclass(c) and issubclass(c, datasets.VisionDataset)}
    lower = {n.lower(): n for n in known}
    if name.lower() not in lower:
        hint = nearest(name, known) or "See the datasets of torchvision for their names."
        raise DataError(f"torchvision has no dataset {name!r}", where=origin, remedy=hint)
    cls: Any = known[lower[name.lower()]]
    accepted = inspect.signature(cls.__init__).parameters
    if "root" in accepted:
        given.setdefault("root", ROOT)
        origin = _written("torchvision", name, given)
    fixed: dict[str, Any] = {"root": given["root"]} if "root" in accepted else {}
    if "download" in accepted:
        fixed["download"] = given.get("download") == "yes"
    if "train" in accepted:
        wanted: dict[str, tuple[Any, ...]] = {"train": (True,), "test": (False,)}
        found = _parts(lambda value: cls(train=value, **fixed), wanted, origin, fixed)
    elif "split" in accepted:
        wanted = {part: (given[part],) if part in given else words for part, words in _SPLITS.items()}
        found = _parts(lambda value: cls(split=value, **fixed), wanted, origin, fixed)
    else:
        found = {"": _made(lambda _: cls(**fixed), None, origin, fixed)}
    return list_datasets(found, origin, "torchvision")


def list_timm(text: str) -> Listing:
    """List a dataset through timm.data.create_dataset: folders, torch/..., hfds/... with their own splits."""
    from timm.data import create_dataset

    name, given = options_of(text)
    origin = _written("timm", name, given)
    root = given.get("root")
    kind = name.partition("/")[0].lower() if "/" in name else "folder"
    fixed = {"root": root, "download": given.get("download") == "yes"}
    if kind in ("hfids", "tfds", "wds"):
        raise DataError(
            f"{name} is read as a stream, whose images cannot be divided",
            where=origin,
            remedy="Use hfds/NAME, torch/NAME or a folder.",
        )
    if kind == "hfds" and not fixed["download"]:
        raise DataError(
            f"{name} is fetched from the Hugging Face hub where it is not at hand",
            where=origin,
            remedy="Allow that with :download=yes, or name files that are here.",
        )
    if kind == "folder" or name.lower() in ("torch/folder", "torch/image_folder"):
        if root is None or not Path(root).is_dir():
            raise DataError(f"{root or 'no root'} is no folder", where=origin, remedy="Write timm:folder:root=DIR.")
        name = "" if name == "folder" else name
        if not _has_splits(Path(root)):
            whole = _made(lambda _: create_dataset(name, search_split=False, **fixed), None, origin, fixed)
            return list_datasets({"": whole}, origin, "timm")
    wanted: dict[str, tuple[Any, ...]] = {part: (given[part],) for part in _SPLITS if part in given}
    wanted = wanted or {"train": ("train",), "validation": ("validation",)}
    found = _parts(lambda value: create_dataset(name, split=value, **fixed), wanted, origin, fixed)
    return list_datasets(found, origin, "timm")


def _has_splits(root: Path) -> bool:
    """Whether timm finds folders of parts; without, it would give the same images for each."""
    return (root / "train").is_dir() and any((root / name).is_dir() for name in ("val", "valid", "validation"))


def _parts(
    make: Callable[[Any], Any], wanted: dict[str, tuple[Any, ...]], origin: str, fixed: dict[str, Any]
) -> dict[str, Any]:
    """Make the parts that the dataset knows; a value that it does not know raises ValueError there."""
    found: dict[str, Any] = {}
    for part, values in wanted.items():
        for value in values:
            try:
                found[part] = _made(make, value, origin, fixed)
                break
            except ValueError:
                continue
    if not found:
        raise DataError(
            "the dataset has none of the usual parts", where=origin, remedy="Name them: ...:train=NAME:test=NAME."
        )
    return found


def _made(make: Callable[[Any], Any], value: Any, origin: str, fixed: dict[str, Any]) -> Any:
    try:
        return make(value)
    except ValueError:
        raise
    except (Exception, SystemExit) as error:  # the libraries raise many kinds
        missing = "not found" in str(error) or isinstance(error, FileNotFoundError)
        remedy = f"Put it below {fixed.get('root') or 'its root'}, name another place with :root=DIR"
        if fixed.get("download") is False:
            remedy += ", or let it be fetched with :download=yes"
        raise DataError(
            "the dataset is not there" if missing else f"the dataset cannot be opened: {type(error).__name__}",
            where=f"{origin}: {first_line(error)}",
            remedy=f"{remedy}.",
        ) from error
