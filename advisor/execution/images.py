"""Turning image files into normalised NCHW batches, lazily, with a bounded cache of resized pixels."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from advisor.errors import DataError

from .folders import Item
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


class ImageReader:
    """Decode, resize to cover, crop the centre, scale to 0..1 and normalise; grey where the model has one channel."""

    def __init__(self, preprocessing: Preprocessing, channels: int, size: tuple[int, int] | None = None) -> None:
        self._preprocessing = preprocessing
        self.size = size or preprocessing.size
        self.channels = channels
        self._filter = _FILTERS.get(preprocessing.interpolation, Image.Resampling.BILINEAR)
        self._mean = _per_channel(preprocessing.mean, channels)
        self._std = _per_channel(preprocessing.std, channels)
        self._cache: dict[Path, NDArray[np.uint8]] = {}
        self._room = CACHE_BYTES

    def at(self, size: tuple[int, ...]) -> "ImageReader":
        """Return a reader that gives images of (height, width); this one if it does so already."""
        if tuple(size) == tuple(self.size) or len(size) != 2:
            return self
        return ImageReader(self._preprocessing, self.channels, (size[0], size[1]))

    def batch(self, items: Sequence[Item]) -> Array:
        """Return the images as float32 of shape (n, channels, height, width)."""
        pixels = np.stack([self._pixels(item.path) for item in items])
        return self.normalise(pixels)

    def normalise(self, pixels: NDArray[np.uint8]) -> Array:
        """Scale (n, height, width, channels) bytes to normalised NCHW floats."""
        scaled = pixels.transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
        return np.ascontiguousarray((scaled - self._mean) / self._std, dtype=np.float32)

    def batches(self, items: Sequence[Item], size: int) -> Iterator[tuple[Array, NDArray[np.int64]]]:
        """Yield images and labels in order, `size` at a time; the last batch may be smaller."""
        for start in range(0, len(items), size):
            part = items[start : start + size]
            yield self.batch(part), np.array([item.label for item in part], dtype=np.int64)

    def _pixels(self, path: Path) -> NDArray[np.uint8]:
        cached = self._cache.get(path)
        if cached is not None:
            return cached
        pixels = self._decode(path)
        if pixels.nbytes <= self._room:
            self._cache[path] = pixels
            self._room -= pixels.nbytes
        return pixels

    def _decode(self, path: Path) -> NDArray[np.uint8]:
        try:
            with Image.open(path) as image:
                fitted = self._fit(image.convert("L" if self.channels == 1 else "RGB"))
        except (OSError, SyntaxError, ValueError) as error:
            raise DataError(f"cannot read an image: {error}", where=str(path), remedy="Remove the file.") from error
        pixels = np.asarray(fitted, dtype=np.uint8)
        return pixels[:, :, None] if pixels.ndim == 2 else pixels

    def _fit(self, image: Image.Image) -> Image.Image:
        height, width = self.size
        if image.size == (width, height):
            return image
        scale = max(height / image.height, width / image.width)
        covered = (max(width, math.floor(image.width * scale)), max(height, math.floor(image.height * scale)))
        resized = image.resize(covered, self._filter)
        left, top = (covered[0] - width) // 2, (covered[1] - height) // 2
        return resized.crop((left, top, left + width, top + height))


def _per_channel(values: Sequence[float], channels: int) -> Array:
    """Shape mean or std as (channels, 1, 1); three values serve a grey model by their average."""
    array = np.asarray(values, dtype=np.float32)
    if len(array) != channels:
        array = np.full(channels, array.mean() if len(array) else 0.0, dtype=np.float32)
    return array.reshape(channels, 1, 1)
