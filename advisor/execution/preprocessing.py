"""How images become input, stored beside the artefacts so that a deployment and a later check do the same."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

from advisor.errors import RunError

FILE = "preprocessing.json"


class Preprocessing(Protocol):
    """What the model expects: `size` is (height, width), mean and std are per channel of values in 0..1."""

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""

    @property
    def mean(self) -> tuple[float, ...]:
        """Mean by channel."""

    @property
    def std(self) -> tuple[float, ...]:
        """Standard deviation by channel."""

    @property
    def interpolation(self) -> str:
        """Resampling filter."""

    @property
    def crop_pct(self) -> float:
        """Share of the resized image's edge that the crop keeps."""

    @property
    def crop_mode(self) -> str:
        """How the image is fitted: center, squash or border, as timm defines them."""


@dataclass(frozen=True)
class StoredPreprocessing:
    """The same, as kept in a run."""

    size: tuple[int, int]
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str
    channels: int
    crop_pct: float = 1.0
    crop_mode: str = "center"


def store(preprocessing: Preprocessing, channels: int, folder: Path, size: tuple[int, int]) -> Path:
    """Write preprocessing.json; `size` is that of the shipped model's input."""
    kept = StoredPreprocessing(
        size,
        preprocessing.mean,
        preprocessing.std,
        preprocessing.interpolation,
        channels,
        preprocessing.crop_pct,
        preprocessing.crop_mode,
    )
    path = folder / FILE
    path.write_text(json.dumps(asdict(kept), indent=1) + "\n", encoding="utf-8")
    return path


def read(folder: Path) -> StoredPreprocessing:
    """Read preprocessing.json."""
    try:
        fields: dict[str, Any] = json.loads((folder / FILE).read_text(encoding="utf-8"))
        height, width = fields["size"]
        return StoredPreprocessing(
            (int(height), int(width)),
            tuple(float(v) for v in fields["mean"]),
            tuple(float(v) for v in fields["std"]),
            str(fields["interpolation"]),
            int(fields["channels"]),
            float(fields["crop_pct"]),
            str(fields["crop_mode"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(f"{FILE} cannot be read: {error}", where=str(folder), remedy="Apply the plan again.") from error
