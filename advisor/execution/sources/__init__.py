"""What --data can name, each form in one file: folders, lists, archives, datasets by name, functions of the user's."""

from pathlib import Path
from typing import Any

from advisor.errors import DataError

from ..items import Listing, checked
from .folders import list_images
from .lists import SUFFIXES, list_file

FORMS = (
    "Give a folder of class folders, a list (.csv, .tsv, .jsonl), an .npz, torchvision:NAME, timm:NAME "
    "or python:MODULE:FUNCTION."
)
NAMED = ("torchvision", "timm", "python")


def list_data(data: Any) -> Listing:
    """List what `data` names, in any form, without decoding an image; refuse what cannot be used.

    Beside words and paths, `data` may be what a function of the user's would return.
    """
    if not isinstance(data, str | Path):
        from .functions import list_given

        return checked(list_given(data, f"<{type(data).__name__}>"))
    text = str(data)
    kind, colon, rest = text.partition(":")
    if colon and kind in NAMED:
        return checked(_named(kind, rest, text))
    path = Path(text).expanduser().resolve()
    if path.is_dir():
        return checked(list_images(path))
    if path.suffix.lower() in SUFFIXES:
        return checked(list_file(path))
    if path.suffix.lower() == ".npz":
        from .npz import list_npz

        return checked(list_npz(path))
    if path.is_file():
        raise DataError(f"{path.name} is no form of data that is known", where=str(path), remedy=FORMS)
    raise DataError(f"{path} is not a folder", remedy=FORMS)


def unopened(origin: str) -> str:
    """Say why data are not opened again by their recorded origin alone, nothing where they are."""
    if origin.startswith("python:"):
        return f"the images come from {origin}, which runs code; name it with --data to do so"
    return f"the images were given as {origin} in Python; give them again" if origin.startswith("<") else ""


def _named(kind: str, rest: str, text: str) -> Listing:
    if kind == "python":
        from .functions import list_function

        return list_function(rest, text)
    from .libraries import list_timm, list_torchvision

    return (list_torchvision if kind == "torchvision" else list_timm)(rest)


__all__ = ["FORMS", "list_data", "unopened"]
