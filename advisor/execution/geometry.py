"""Where the pixels of an image end up: the resize and crop by which a network was tested, as timm defines them."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True)
class Geometry:
    """An image of `given` (width, height) resized to `resized`, then cropped to `size` from `left`, `top`.

    Negative offsets pad. A box or mask follows its image by the same figures.
    """

    given: tuple[int, int]
    resized: tuple[int, int]
    left: int
    top: int
    size: tuple[int, int]  # (width, height)

    def image(self, picture: Image.Image, resampling: Image.Resampling, fill: tuple[int, ...] = ()) -> Image.Image:
        """Resize and crop a picture; `fill` colours what is padded."""
        fitted = picture if picture.size == self.resized else picture.resize(self.resized, resampling)
        width, height = self.size
        box = (self.left, self.top, self.left + width, self.top + height)
        if fitted.size == self.size and not (self.left or self.top):
            return fitted
        if min(box[:2]) >= 0 and box[2] <= fitted.width and box[3] <= fitted.height:
            return fitted.crop(box)
        colour: Any = (fill if len(fill) > 1 else fill[0]) if fill else 0
        padded = Image.new(fitted.mode, self.size, colour)
        padded.paste(fitted, (-self.left, -self.top))
        return padded

    def mask(self, labels: NDArray[Any], fill: int) -> NDArray[Any]:
        """Move a map of labels (height, width) with its image, by nearest neighbours; `fill` is what padding means."""
        picture = Image.fromarray(np.asarray(labels).astype(np.int32))
        return np.asarray(self.image(picture, Image.Resampling.NEAREST, (fill,))).astype(np.int64)

    def boxes(self, boxes: NDArray[Any]) -> NDArray[np.float32]:
        """Move boxes (n, 4) of left, top, right, bottom in pixels with their image and clip them to it."""
        scale = np.array([self.resized[0] / self.given[0], self.resized[1] / self.given[1]] * 2)
        moved = np.asarray(boxes, dtype=np.float64).reshape(-1, 4) * scale - [self.left, self.top] * 2
        clipped: NDArray[Any] = np.clip(moved, 0, [*self.size, *self.size])
        return clipped.astype(np.float32)


def unmoved(width: int, height: int) -> Geometry:
    """Return the geometry of an image that is taken as it is."""
    return Geometry((width, height), (width, height), 0, 0, (width, height))


def fit(given: tuple[int, int], size: tuple[int, int], crop_pct: float = 1.0, crop_mode: str = "center") -> Geometry:
    """Fit an image of `given` (width, height) into an input of `size` (height, width).

    As timm's `transforms_imagenet_eval`: `center` resizes the shorter edge to size / crop_pct, `squash` both edges,
    `border` the longer edge; then the centre is cropped, or padded with the mean colour.
    """
    width, height = given
    tall, wide = (math.floor(edge / crop_pct) for edge in size)
    if crop_mode == "squash":
        resized = (wide, tall)
    elif crop_mode == "border" or tall != wide:
        ratios = (height / tall, width / wide)
        ratio = max(ratios) if crop_mode == "border" else min(ratios)
        resized = (round(width / ratio), round(height / ratio))
    elif width <= height:
        resized = (tall, int(tall * height / width))
    else:
        resized = (int(tall * width / height), tall)
    resized = (max(1, resized[0]), max(1, resized[1]))
    left, top = (_offset(resized[i], size[1 - i]) for i in (0, 1))
    return Geometry(given, resized, left, top, (size[1], size[0]))


def _offset(edge: int, wanted: int) -> int:
    """Centre as torchvision does: a crop rounds half a pixel to even, padding puts the smaller half first."""
    return round((edge - wanted) / 2) if edge >= wanted else -((wanted - edge) // 2)
