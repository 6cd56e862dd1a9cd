"""Turning images into normalised NCHW batches, lazily, with a bounded cache of resized pixels."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from advisor.errors import DataError

from .geometry import Geometry, fit, unmoved
from .items import Item, Source
from .preprocessing import Preprocessing

Array = NDArray[np.float32]
CACHE_BYTES = 256 * 2**20

_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
}


def channels_of(shape: tuple[int, ...], *, images: bool) -> int:
    """Return the channels of images for a network of this input; refuse other inputs where there are images to read."""
    if len(shape) == 4 and shape[1] in (1, 3):
        return shape[1]
    if images:
        raise DataError(f"images do not fit an input of shape {shape}", remedy="Models take 1 or 3 channels.")
    return 3


class ImageReader:
    """Decode, resize and crop as the network was tested, scale to 0..1 and normalise; grey for one channel.

    Images that a dataset gives as float32 (channels, height, width) are prepared already and stay as they are.
    """

    def __init__(self, preprocessing: Preprocessing, channels: int, size: tuple[int, int] | None = None) -> None:
        self._preprocessing = preprocessing
        self.size = size or preprocessing.size
        self.channels = channels
        self._filter = _FILTERS.get(preprocessing.interpolation, Image.Resampling.BILINEAR)
        self._mean = _per_channel(preprocessing.mean, channels)
        self._std = _per_channel(preprocessing.std, channels)
        mean = tuple(preprocessing.mean)
        mean = mean if len(mean) == channels else tuple(self._mean.ravel().tolist())
        self._fill = tuple(round(255 * value) for value in mean)
        self._cache: dict[tuple[Source, str], tuple[NDArray[Any], Geometry]] = {}
        self._room = CACHE_BYTES

    def at(self, size: tuple[int, ...]) -> "ImageReader":
        """Return a reader that gives images of (height, width); this one if it does so already."""
        if tuple(size) == tuple(self.size) or len(size) != 2:
            return self
        return ImageReader(self._preprocessing, self.channels, (size[0], size[1]))

    def batch(self, items: Sequence[Item]) -> Array:
        """Return the images as float32 of shape (n, channels, height, width)."""
        pixels = [self._pixels(item)[0] for item in items]
        if all(image.dtype == np.uint8 for image in pixels):
            return self.normalise(np.stack(pixels))
        ready = [self.normalise(image[None])[0] if image.dtype == np.uint8 else image for image in pixels]
        return np.stack(ready).astype(np.float32, copy=False)

    def normalise(self, pixels: NDArray[Any]) -> Array:
        """Scale (n, height, width, channels) bytes to normalised NCHW floats."""
        scaled = pixels.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
        return np.ascontiguousarray((scaled - self._mean) / self._std, dtype=np.float32)

    def batches(self, items: Sequence[Item], size: int) -> Iterator[tuple[Array, NDArray[np.int64]]]:
        """Yield images and labels in order, `size` at a time; the last batch may be smaller."""
        for start in range(0, len(items), size):
            part = items[start : start + size]
            yield self.batch(part), np.array([item.label for item in part], dtype=np.int64)

    def geometry(self, item: Item) -> Geometry:
        """Return how the image was resized and cropped, which its masks and boxes follow."""
        return self._pixels(item)[1]

    def _pixels(self, item: Item) -> tuple[NDArray[Any], Geometry]:
        key = (item.origin, item.name)
        cached = self._cache.get(key)
        if cached is not None:
            return cached
        pixels, geometry = self._decode(item)
        if pixels.nbytes <= self._room:
            self._cache[key] = pixels, geometry
            self._room -= pixels.nbytes
        return pixels, geometry

    def _decode(self, item: Item) -> tuple[NDArray[Any], Geometry]:
        try:
            picture = item.origin.image(item)
            if isinstance(picture, np.ndarray):
                return self._ready(picture, item), unmoved(self.size[1], self.size[0])
            coloured = picture.convert("L" if self.channels == 1 else "RGB")
        except (OSError, SyntaxError, ValueError) as error:
            raise DataError(f"cannot read an image: {error}", where=item.name, remedy="Remove the file.") from error
        form = self._preprocessing
        geometry = fit(coloured.size, self.size, getattr(form, "crop_pct", 1.0), getattr(form, "crop_mode", "center"))
        pixels = np.asarray(geometry.image(coloured, self._filter, self._fill), dtype=np.uint8)
        return (pixels[:, :, None] if pixels.ndim == 2 else pixels), geometry

    def _ready(self, picture: Array, item: Item) -> Array:
        wanted = (self.channels, *self.size)
        if picture.shape != wanted:
            raise DataError(
                f"a prepared image has the shape {picture.shape}, the network reads {wanted}",
                where=item.name,
                remedy="Let the dataset give PIL images or uint8 pixels, which are resized, or floats of this shape.",
            )
        return picture


def _per_channel(values: Sequence[float], channels: int) -> Array:
    """Shape mean or std as (channels, 1, 1); three values serve a grey model by their average."""
    array = np.asarray(values, dtype=np.float32)
    if len(array) != channels:
        array = np.full(channels, array.mean() if len(array) else 0.0, dtype=np.float32)
    return array.reshape(channels, 1, 1)
