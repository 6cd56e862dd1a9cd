"""Images that are files below a folder."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from advisor.errors import DataError

from ..items import Item

_UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)
MOST_BYTES = 2**20  # of a classes.txt
DRAFT = (32, 32)  # JPEG: decode at an eighth of the size, which still reads the whole file


@dataclass(frozen=True)
class Files:
    """Files by their names relative to `root`."""

    root: Path

    def image(self, item: Item) -> Image.Image:
        """Decode a file."""
        try:
            with Image.open(self.root / item.name) as image:
                image.load()
                return image.copy()
        except Image.DecompressionBombError as error:
            raise ValueError(str(error)) from error

    def target(self, item: Item) -> Any:
        """Return the class index."""
        return item.label

    def fingerprint(self, item: Item) -> str:
        """Return the size of the file in bytes."""
        try:
            return str((self.root / item.name).stat().st_size)
        except OSError as error:
            raise DataError("an image is gone", where=str(self.root / item.name), remedy="Put it back.") from error

    def broken(self, items: Collection[Item]) -> set[Item]:
        """Decode every file once, roughly."""
        return {item for item in items if not _decodes(self.root / item.name)}


def read_classes(folder: Path) -> tuple[str, ...]:
    """Return the names in classes.txt, one a line in the order of the model's outputs; none without the file."""
    listed = folder / "classes.txt"
    if not listed.is_file():
        return ()
    if listed.stat().st_size > MOST_BYTES:
        raise DataError(
            "classes.txt is no list of classes: it is over 1 MB", where=str(listed), remedy="Write one class per line."
        )
    try:
        names = tuple(line.strip() for line in listed.read_text(encoding="utf-8").splitlines() if line.strip())
    except (UnicodeDecodeError, OSError) as error:
        raise DataError(
            "classes.txt is not UTF-8 text", where=str(listed), remedy="Write one class per line."
        ) from error
    if len(set(names)) != len(names):
        raise DataError("classes.txt names a class twice", where=str(listed), remedy="Write one class per line.")
    return names


def _decodes(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            image.draft("RGB", DRAFT)
            image.load()
    except _UNREADABLE:
        return False
    return True
