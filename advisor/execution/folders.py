"""Finding the images of a class-folder directory and naming their classes; nothing is decoded here."""

from dataclasses import dataclass
from pathlib import Path

from advisor.errors import DataError, nearest

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".webp", ".ppm", ".pgm", ".tif", ".tiff", ".gif"})
PARTS = {
    "train": ("train", "training"),
    "calibration": ("calib", "calibration"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "eval", "evaluation"),
}


@dataclass(frozen=True, order=True)
class Item:
    """One image and its class index; -1 where it has no label."""

    path: Path
    label: int = -1


@dataclass(frozen=True)
class Listing:
    """The images of a directory by the part they were put in; `loose` holds those of a folder without splits."""

    directory: Path
    classes: tuple[str, ...]
    parts: dict[str, tuple[Item, ...]]
    loose: tuple[Item, ...]

    @property
    def items(self) -> tuple[Item, ...]:
        """Every image once."""
        return self.loose + tuple(item for part in self.parts.values() for item in part)

    @property
    def labelled(self) -> bool:
        """Whether any image has a label."""
        return any(item.label >= 0 for item in self.items)


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
    roots = list(parts.values()) or [directory]
    classes = _classes(directory, roots)
    found = {part: _items(root, classes) for part, root in parts.items()}
    loose = () if parts else _items(directory, classes)
    listing = Listing(directory, classes, found, loose)
    _check(listing)
    return listing


def _subfolders(directory: Path) -> list[Path]:
    return sorted(p for p in directory.iterdir() if p.is_dir() and not p.name.startswith("."))


def _images(directory: Path) -> list[Path]:
    return sorted(p for p in directory.rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file())


def _classes(directory: Path, roots: list[Path]) -> tuple[str, ...]:
    """Return class names in the order of the model's outputs: classes.txt where it exists, else sorted folder names."""
    seen = sorted({child.name for root in roots for child in _subfolders(root) if _images(child)})
    listed = directory / "classes.txt"
    if not listed.is_file():
        return tuple(seen)
    try:
        names = tuple(line.strip() for line in listed.read_text(encoding="utf-8").splitlines() if line.strip())
    except UnicodeDecodeError as error:
        raise DataError("classes.txt is not UTF-8 text", where=str(listed)) from error
    if len(set(names)) != len(names):
        raise DataError("classes.txt names a class twice", where=str(listed), remedy="Write one class per line.")
    unknown = [name for name in seen if name not in names]
    if unknown:
        raise DataError(
            f"the folder {unknown[0]!r} is not in classes.txt",
            where=str(listed),
            remedy=nearest(unknown[0], names) or "List every class folder, in the order of the model's outputs.",
        )
    return names


def _items(root: Path, classes: tuple[str, ...]) -> tuple[Item, ...]:
    index = {name: i for i, name in enumerate(classes)}
    folders = [child for child in _subfolders(root) if child.name in index]
    labelled = tuple(Item(path, index[child.name]) for child in folders for path in _images(child))
    if labelled:
        return labelled
    return tuple(Item(path) for path in _images(root))


def _check(listing: Listing) -> None:
    where = str(listing.directory)
    if not listing.items:
        raise DataError("no images found", where=where, remedy=f"Known endings: {', '.join(sorted(IMAGE_SUFFIXES))}.")
    used = {item.label for item in listing.items if item.label >= 0}
    if len(used) == 1:
        raise DataError(
            f"only one class, {listing.classes[used.pop()]!r}",
            where=where,
            remedy="Top-1 needs at least two class folders; put unlabelled images directly into the folder.",
        )
