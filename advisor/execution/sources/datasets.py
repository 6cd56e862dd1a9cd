"""Map-style datasets: anything with a length whose elements are (picture, target)."""

import hashlib
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from advisor.errors import DataError

from ..items import Item, Listing, Picture, part_named

if TYPE_CHECKING:
    from ..tasks import Task

TARGET_BYTES = 128 * 2**20
SAMPLE = 64  # elements that are looked at when a dataset is checked and fingerprinted: those of others may take hours
_LABELS = ("targets", "labels", "_labels")
_PICTURES, _TARGETS = ("image", "img", "picture"), ("label", "target", "labels", "fine_label")
_SAMPLES = ("samples", "_samples", "imgs")


class Elements:
    """The elements of one dataset."""

    def __init__(self, dataset: Any, origin: str, task: "Task | None") -> None:
        self.dataset, self.origin, self.task = dataset, origin, task
        self._step = max(1, len(dataset) // SAMPLE)
        self._targets: dict[int, Any] = {}  # those of images that were read, so that none is read twice
        self._room = TARGET_BYTES

    def image(self, item: Item) -> Picture:
        """Return a picture, or floats that are prepared already."""
        picture, target = self._element(item)
        if self.task is not None and item.index not in self._targets and (size := _bytes(target)) <= self._room:
            self._targets[item.index] = target
            self._room -= size
        return _picture(picture)

    def target(self, item: Item) -> Any:
        """Return the class index, or whatever the task's target is."""
        if self.task is None:
            return item.label
        return self._targets[item.index] if item.index in self._targets else self._element(item)[1]

    def fingerprint(self, item: Item) -> str:
        """Return a hash of the pixels of every so many elements, nothing for the others."""
        if item.index % self._step:
            return ""
        return hashlib.sha256(np.asarray(self.image(item)).tobytes()).hexdigest()[:16]

    def broken(self, items: Collection[Item]) -> set[Item]:
        """Look at every so many elements."""
        bad = set()
        for item in (item for item in items if item.index % self._step == 0):
            try:
                self.image(item)
            except (OSError, SyntaxError, ValueError):
                bad.add(item)
        return bad

    def _element(self, item: Item) -> tuple[Any, Any]:
        try:
            element = self.dataset[item.index]
        except Exception as error:  # the code of others may raise anything
            raise DataError(
                f"the dataset gives no element {item.index}: {type(error).__name__}: {first_line(error)}",
                where=self.origin,
                remedy="Mend the dataset; advisor calls dataset[i] for i below its length.",
            ) from error
        return pair_of(element, self.origin)


def list_datasets(
    given: Mapping[str, Any], origin: str, form: str, task: "Task | None" = None, classes: tuple[str, ...] = ()
) -> Listing:
    """List datasets by the part they are ("" for one that is to be divided)."""
    parts: dict[str, tuple[Item, ...]] = {}
    for name, dataset in given.items():
        part = part_named(name, origin) if name else ""
        if not (hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")):
            raise DataError(
                f"a dataset is {type(dataset).__name__}, which has no length or no elements by number",
                where=origin,
                remedy="Give a dataset with __len__ and __getitem__ whose elements are (image, label).",
            )
        labels = [0] * len(dataset) if task is not None else _labels(dataset, origin)
        source, digits = Elements(dataset, origin, task), len(str(len(dataset)))
        found = tuple(Item(f"{part or 'image'}/{i:0{digits}d}", v, i, source) for i, v in enumerate(labels))
        parts[part] = parts.get(part, ()) + found
    classes = () if task is not None else classes or _classes(list(given.values()), parts)
    loose = parts.pop("", ())
    return Listing(origin, classes, parts, loose, form=form, task=task)


def pair_of(element: Any, origin: str) -> tuple[Any, Any]:
    """Return picture and target of an element; a bare picture has none."""
    if isinstance(element, Mapping):
        picture = next((element[name] for name in _PICTURES if name in element), None)
        return picture, next((element[name] for name in _TARGETS if name in element), -1)
    if isinstance(element, tuple | list):
        if len(element) != 2:
            raise DataError(f"an element has {len(element)} parts", where=origin, remedy="Return (image, label).")
        return element[0], element[1]
    return element, -1


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says."""
    return (str(error).strip().splitlines() or [""])[0][:200]


def _labels(dataset: Any, origin: str) -> list[int]:
    """Return the class of every element, from the dataset's own list where it has one (nothing is decoded then)."""
    found = _known_labels(dataset)
    if found is None:
        source = Elements(dataset, origin, None)
        found = [source._element(Item("", index=i))[1] for i in range(len(dataset))]
    try:
        labels = [int(label) for label in found]
    except (TypeError, ValueError) as error:
        raise DataError(
            f"a label is {type(found[0]).__name__}, no class index",
            where=origin,
            remedy="Return whole numbers, or a task of your own with loss and score (docs/data.md).",
        ) from error
    if any(isinstance(label, float | np.floating) and label != int(label) for label in found):
        raise DataError("labels are no whole numbers", where=origin, remedy="Return a task of your own (docs/data.md).")
    if min(labels, default=0) < -1:
        raise DataError(f"a label is {min(labels)}", where=origin, remedy="Count classes from 0; -1 means no label.")
    return labels


def _known_labels(dataset: Any) -> list[Any] | None:
    for name in _LABELS:
        values = getattr(dataset, name, None)
        if values is not None and hasattr(values, "__len__") and len(values) == len(dataset):
            return list(values.tolist() if hasattr(values, "tolist") else values)
    for holder in (dataset, getattr(dataset, "reader", None)):
        for name in _SAMPLES:
            values = getattr(holder, name, None)
            if isinstance(values, list) and len(values) == len(dataset) and all(len(v) == 2 for v in values):
                return [label for _, label in values]
    return None


def _classes(datasets: list[Any], parts: Mapping[str, tuple[Item, ...]]) -> tuple[str, ...]:
    most = max((item.label for items in parts.values() for item in items), default=-1)
    for dataset in datasets:
        names = getattr(dataset, "classes", None)
        index = getattr(getattr(dataset, "reader", None), "class_to_idx", None)
        if names is None and isinstance(index, dict):
            names = sorted(index, key=index.__getitem__)
        if isinstance(names, list | tuple) and len(names) > most and all(isinstance(name, str) for name in names):
            return tuple(names)
    return tuple(str(i) for i in range(most + 1))


def _bytes(target: Any) -> int:
    """Return about what a target takes in memory."""
    if isinstance(target, Mapping):
        return sum(map(_bytes, target.values()))
    if isinstance(target, Image.Image):
        return 4 * target.width * target.height
    return int(getattr(target, "nbytes", 256))


def _picture(value: Any) -> Picture:
    """Return a PIL image of what a dataset gives, or float32 (channels, height, width) as it is."""
    if isinstance(value, Image.Image):
        return value
    array = np.asarray(value)
    if array.dtype.kind == "f" and array.ndim == 3:
        return np.ascontiguousarray(array, dtype=np.float32)
    if array.dtype == np.uint8 and array.ndim in (2, 3):
        if array.ndim == 3 and array.shape[-1] not in (1, 3, 4):
            array = array.transpose(1, 2, 0)
        array = array[..., 0] if array.ndim == 3 and array.shape[-1] == 1 else array
        return Image.fromarray(np.ascontiguousarray(array))
    raise ValueError(
        f"an image is {type(value).__name__} of type {array.dtype} and shape {array.shape}; give a PIL image, uint8 "
        "pixels, or prepared float32 of (channels, height, width)"
    )
