"""Images by name, whatever they come from: what a source lists, and what it gives for one of them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from advisor.errors import DataError, nearest

if TYPE_CHECKING:
    from .tasks import Task

Picture = Image.Image | NDArray[np.float32]

PARTS = {
    "train": ("train", "training"),
    "calibration": ("calib", "calibration"),
    "validation": ("val", "valid", "validation"),
    "test": ("test", "eval", "evaluation"),
}


class Source(Protocol):
    """Where images come from. Nothing is decoded before `image` or `broken` is called."""

    def image(self, item: "Item") -> Picture:
        """Return the picture, or a float32 array (channels, height, width) that is prepared already.

        Raises OSError, SyntaxError or ValueError where it cannot be read.
        """

    def target(self, item: "Item") -> Any:
        """Return what the task wants to hear about the image; the class index for classification."""

    def fingerprint(self, item: "Item") -> str:
        """Return what changes with the content: a file's size, an array's hash."""

    def broken(self, items: Collection["Item"]) -> set["Item"]:
        """Return those that cannot be decoded."""


@dataclass(frozen=True, order=True)
class Item:
    """One image: its name within the data and its class index; -1 where it has no label.

    Where a task has other targets than classes, `label` is 0 for all images that have one. `index` is its place in
    the source.
    """

    name: str
    label: int = -1
    index: int = field(default=-1, compare=False)
    source: Source | None = field(default=None, compare=False, repr=False)

    @property
    def origin(self) -> Source:
        """The source, which every listed image has."""
        if self.source is None:
            raise DataError(f"the image {self.name} has no source", remedy="List images with open_data.")
        return self.source


@dataclass(frozen=True)
class Listing:
    """The images of some data by the part they were put in; `loose` holds those that no part was named for.

    `origin` are the data in the words of `--data`, `form` is their kind in one word, `task` what the data bring.
    """

    origin: str
    classes: tuple[str, ...]
    parts: Mapping[str, tuple[Item, ...]]
    loose: tuple[Item, ...] = ()
    form: str = "folder"
    task: "Task | None" = None
    notes: tuple[str, ...] = ()

    @property
    def items(self) -> tuple[Item, ...]:
        """Every image once."""
        return self.loose + tuple(item for part in self.parts.values() for item in part)

    @property
    def labelled(self) -> bool:
        """Whether any image has a label."""
        return any(item.label >= 0 for item in self.items)


def part_named(name: str, where: str) -> str:
    """Return the part that a word stands for: train, calibration, validation or test."""
    word = name.strip().lower()
    for part, words in PARTS.items():
        if word in words:
            return part
    known = [word for words in PARTS.values() for word in words]
    raise DataError(
        f"{name!r} is no part of a data set", where=where, remedy=nearest(word, known) or f"Known: {', '.join(known)}."
    )


def checked(listing: Listing) -> Listing:
    """Refuse data without images, with a name twice, or with a single class."""
    items = listing.items
    if not items:
        raise DataError("no images found", where=listing.origin, remedy="Check what --data names.")
    if len({item.name for item in items}) != len(items):
        seen: set[str] = set()
        twice = next(i.name for i in items if i.name in seen or seen.add(i.name))  # type: ignore[func-returns-value]
        raise DataError(
            f"the image {twice} is listed twice",
            where=listing.origin,
            remedy="List every image once, in one part: an image that trains must not test.",
        )
    used = {item.label for item in items if item.label >= 0}
    if listing.task is None and len(used) == 1:
        only = used.pop()
        name = listing.classes[only] if only < len(listing.classes) else str(only)
        raise DataError(
            f"only one class, {name!r}",
            where=listing.origin,
            remedy="Top-1 needs at least two classes; leave the labels out where the images have none.",
        )
    return listing


def class_names(labels: Collection[str], listed: tuple[str, ...], where: str) -> tuple[str, ...]:
    """Return class names in the order of the model's outputs: those of classes.txt where it exists, else sorted."""
    seen = tuple(sorted(set(labels)))
    unknown = [name for name in seen if listed and name not in listed]
    if unknown:
        raise DataError(
            f"the class {unknown[0]!r} is not in classes.txt",
            where=where,
            remedy=nearest(unknown[0], listed) or "List every class, in the order of the model's outputs.",
        )
    return listed or seen
