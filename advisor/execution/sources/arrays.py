"""Images that are arrays in memory: uint8, one channel or three, in any of the usual orders."""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from advisor.errors import DataError

from ..items import PARTS, Item, Listing

_IMAGES = ("x", "images", "image", "imgs", "data")
_LABELS = ("y", "labels", "label", "targets", "target")


@dataclass(frozen=True)
class Arrays:
    """Arrays by key, each with its shape and type known and its values read when `load` is called."""

    shapes: Mapping[str, tuple[tuple[int, ...], "np.dtype[Any]"]]
    load: Callable[[str], NDArray[Any]]
    origin: str
    form: str


class Images:
    """The images of one array, read when the first is wanted."""

    def __init__(self, key: str, arrays: Arrays) -> None:
        self._key, self._arrays = key, arrays

    @cached_property
    def _pixels(self) -> NDArray[np.uint8]:
        """The images as (n, height, width) or (n, height, width, channels)."""
        pixels = self._arrays.load(self._key)
        if pixels.ndim == 4 and pixels.shape[-1] not in (1, 3, 4):
            pixels = pixels.transpose(0, 2, 3, 1)
        return pixels[..., 0] if pixels.ndim == 4 and pixels.shape[-1] == 1 else pixels

    def image(self, item: Item) -> Image.Image:
        """Return a picture."""
        return Image.fromarray(np.ascontiguousarray(self._pixels[item.index]))

    def target(self, item: Item) -> Any:
        """Return the class index."""
        return item.label

    def fingerprint(self, item: Item) -> str:
        """Return a hash of the image's bytes."""
        return hashlib.sha256(np.ascontiguousarray(self._pixels[item.index]).tobytes()).hexdigest()[:16]

    def broken(self, items: Collection[Item]) -> set[Item]:
        """Return nothing: bytes are always pixels."""
        del items
        return set()


def list_arrays(arrays: Arrays) -> Listing:
    """List images and labels by their keys: x and y, images and labels, each with a part before or behind."""
    found = {key: named for key in arrays.shapes if (named := _named(key)) is not None}
    images = {part: key for key, (kind, part) in found.items() if kind == "images"}
    labels = {part: key for key, (kind, part) in found.items() if kind == "labels"}
    if not images:
        raise DataError(
            f"no images among the arrays {', '.join(list(arrays.shapes)[:8]) or '(none)'}",
            where=arrays.origin,
            remedy="Name them images and labels, or x_train, y_train, x_test, y_test.",
        )
    names = _class_names(arrays)
    given = {part: _labels(labels.get(part), images[part], arrays) for part in images}
    texts = {
        str(name) for values in given.values() if values is not None and values.dtype.kind == "U" for name in values
    }
    if texts:
        names = names or tuple(sorted(texts))
        if texts - set(names):
            raise DataError(
                f"the label {min(texts - set(names))!r} is not in 'classes'",
                where=arrays.origin,
                remedy="Name every class in it, in the order of the model's outputs.",
            )
    index = {name: i for i, name in enumerate(names)}
    parts = {}
    for part, key in images.items():
        source, values, digits = Images(key, arrays), given[part], len(str(arrays.shapes[key][0][0]))
        classes = [-1] * arrays.shapes[key][0][0] if values is None else [
            index[str(v)] if values.dtype.kind == "U" else int(v) for v in values
        ]  # fmt: skip
        parts[part] = tuple(Item(f"{key}/{i:0{digits}d}", c, i, source) for i, c in enumerate(classes))
    most = max((item.label for items in parts.values() for item in items), default=-1)
    classes_ = names if most < len(names) else tuple(str(i) for i in range(most + 1))
    loose = parts.pop("", ())
    return Listing(arrays.origin, classes_, parts, loose, form=arrays.form)


def _named(key: str) -> tuple[str, str] | None:
    """Read a key such as x, images, x_train or train_labels as (kind, part)."""
    words = key.lower().replace("-", "_").split("_")
    kind = next((k for k, names in (("images", _IMAGES), ("labels", _LABELS)) if set(words) & set(names)), None)
    rest = [word for word in words if word not in (*_IMAGES, *_LABELS)]
    part = next((p for p, names in PARTS.items() if rest and rest[0] in names), "")
    return None if kind is None or len(rest) > 1 or (rest and not part) else (kind, part)


def _class_names(arrays: Arrays) -> tuple[str, ...]:
    shape, kind = arrays.shapes.get("classes", ((), np.dtype(float)))
    if len(shape) != 1 or kind.kind != "U":
        return ()
    return tuple(str(name) for name in arrays.load("classes"))


def _labels(key: str | None, images: str, arrays: Arrays) -> NDArray[Any] | None:
    """Check the shapes of a pair and return its labels, None where there are none."""
    shape, kind = arrays.shapes[images]
    where = f"{arrays.origin}, {images}"
    if kind != np.uint8:
        raise DataError(f"images are {kind}, not uint8", where=where, remedy="Scale them to 0..255 and store uint8.")
    channels = {shape[1], shape[-1]} & {1, 3, 4} if len(shape) == 4 else {1}
    if len(shape) not in (3, 4) or not channels or 0 in shape:
        raise DataError(
            f"images of shape {shape} are no images",
            where=where,
            remedy="Store (n, height, width), (n, height, width, channels) or (n, channels, height, width).",
        )
    if key is None:
        return None
    size, type_ = arrays.shapes[key]
    if type_.kind not in "iuU" or size not in ((shape[0],), (shape[0], 1)):
        raise DataError(
            f"labels of shape {size} and type {type_} do not fit {shape[0]} images",
            where=f"{arrays.origin}, {key}",
            remedy="Store one whole number (or name) for each image.",
        )
    values = arrays.load(key).reshape(-1)
    if type_.kind != "U" and (values.min() < -1 or values.max() >= 1_000_000):
        raise DataError(f"labels run from {values.min()} to {values.max()}", where=where, remedy="Count from 0.")
    return values
