"""Finding the images of a class-folder directory and naming their classes; nothing is decoded here."""

import re
from pathlib import Path

from advisor.errors import DataError

from ..items import PARTS, Item, Listing, class_names
from .files import Files, read_classes

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".ppm", ".pgm", ".tif", ".tiff", ".gif"})


def list_images(directory: Path) -> Listing:
    """List a directory of class folders, of split folders with class folders, or of loose unlabelled images."""
    if not directory.is_dir():
        raise DataError(f"{directory} is not a folder", remedy="Give a folder of class folders with images.")
    folders = {child.name.lower(): child for child in _subfolders(directory)}
    parts = {
        part: next(folders[name] for name in names if name in folders)
        for part, names in PARTS.items()
        if any(name in folders for name in names)
    }
    notes: tuple[str, ...] = ()
    if not parts and (parts := _parts_by_words(directory)):
        notes = (f"{', '.join(sorted(root.name for root in parts.values()))} are taken for the parts that they name",)
    roots = list(parts.values()) or [directory]
    seen = {child.name for root in roots for child in _subfolders(root) if _images(child)}
    classes = class_names(seen, read_classes(directory), str(directory))
    source = Files(directory)
    found = {part: _items(root, classes, source) for part, root in parts.items()}
    loose = () if parts else _items(directory, classes, source)
    listing = Listing(str(directory), classes, found, loose, notes=notes)
    if not listing.items:
        known = ", ".join(sorted(IMAGE_SUFFIXES))
        raise DataError("no images found", where=listing.origin, remedy=f"Known endings: {known}.")
    return listing


def _parts_by_words(directory: Path) -> dict[str, Path]:
    """Return parts where all folders are named like 'cifar10_train' and hold the folders of classes; else nothing."""
    found: dict[str, Path] = {}
    for child in _subfolders(directory):
        words = set(re.split(r"[^a-z]+", child.name.lower()))
        named = [part for part, names in PARTS.items() if not words.isdisjoint(names)]
        holds_classes = any(map(_images, _subfolders(child)))
        if len(named) != 1 or named[0] in found or not holds_classes:
            return {}
        found[named[0]] = child
    return found


def _subfolders(directory: Path) -> list[Path]:
    return sorted(p for p in directory.iterdir() if p.is_dir() and not p.name.startswith("."))


def _images(directory: Path) -> list[Path]:
    return sorted(p for p in directory.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file())


def _items(root: Path, classes: tuple[str, ...], source: Files) -> tuple[Item, ...]:
    index = {name: i for i, name in enumerate(classes)}
    folders = [(child, index[child.name]) for child in _subfolders(root) if child.name in index]
    labelled = [(path, label) for child, label in folders for path in _images(child)]
    found = labelled or [(path, -1) for path in _images(root)]
    return tuple(Item(path.relative_to(source.root).as_posix(), label, source=source) for path, label in found)
