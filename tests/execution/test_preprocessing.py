"""Pixels are those that the network was tested with: timm's own transform is the oracle."""

import numpy as np
import pytest
from PIL import Image

from advisor.errors import RunError
from advisor.execution.geometry import fit
from advisor.execution.images import ImageReader
from advisor.execution.items import Item
from advisor.execution.preprocessing import read, store
from advisor.execution.sources.files import Files
from advisor.loading.preprocessing import preprocessing

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("image", [(64, 64), (90, 61), (47, 83), (20, 30)], ids=str)
@pytest.mark.parametrize(
    ("size", "crop_pct", "crop_mode", "interpolation"),
    [
        ((32, 32), 0.875, "center", "bicubic"),
        ((32, 32), 0.95, "center", "bilinear"),
        ((48, 48), 1.0, "center", "bicubic"),
        ((30, 40), 0.9, "center", "bilinear"),
        ((32, 32), 0.9, "squash", "bicubic"),
        ((32, 32), 1.0, "border", "bicubic"),
        ((32, 32), 0.8, "border", "bilinear"),
    ],
)
def test_pixels_are_those_of_timms_transform(tmp_path, image, size, crop_pct, crop_mode, interpolation):
    from timm.data import create_transform

    Image.fromarray(RNG.integers(0, 256, (image[1], image[0], 3), dtype=np.uint8)).save(tmp_path / "a.png")
    config = {"mean": (0.5, 0.4, 0.3), "std": (0.2, 0.3, 0.4), "interpolation": interpolation,
              "crop_pct": crop_pct, "crop_mode": crop_mode}  # fmt: skip
    ours = ImageReader(preprocessing((1, 3, *size), config), 3).batch([Item("a.png", source=Files(tmp_path))])[0]
    transform = create_transform(input_size=(3, *size), is_training=False, **config)
    with Image.open(tmp_path / "a.png") as opened:
        oracle = transform(opened.convert("RGB")).numpy()
    np.testing.assert_allclose(ours, oracle, atol=1e-5)


def test_every_crop_of_timms_catalogue_resizes_to_timms_size():
    import math

    import timm

    found = set()
    for name in timm.list_models(pretrained=True):
        config = timm.models.get_pretrained_cfg(name)
        found.add((config.input_size[-1], config.crop_pct, config.crop_mode))
    for side, crop, mode in found:
        if mode == "center" and 0 < crop <= 1:
            assert fit((4 * side, 5 * side), (side, side), crop).resized[0] == math.floor(side / crop), (side, crop)
    assert len(found) > 30


def test_torchvisions_published_crop_is_kept(tmp_path):
    from torchvision.models import ResNet18_Weights

    from advisor.loading.architectures.from_torchvision import description

    Image.fromarray(RNG.integers(0, 256, (300, 260, 3), dtype=np.uint8)).save(tmp_path / "a.png")
    config = description("resnet18", None)
    ours = ImageReader(preprocessing((1, 3, 224, 224), config), 3).batch([Item("a.png", source=Files(tmp_path))])[0]
    with Image.open(tmp_path / "a.png") as opened:
        oracle = ResNet18_Weights.DEFAULT.transforms()(opened).numpy()
    np.testing.assert_allclose(ours, oracle, atol=1e-5)


def test_the_stored_preprocessing_reads_the_same_pixels(tmp_path):
    given = preprocessing(
        (1, 3, 32, 32), {"mean": (0.5,) * 3, "std": (0.2,) * 3, "crop_pct": 0.9, "crop_mode": "border"}
    )
    store(given, 3, tmp_path, (24, 24))
    kept = read(tmp_path)
    assert (kept.size, kept.crop_pct, kept.crop_mode, kept.channels) == ((24, 24), 0.9, "border", 3)
    (tmp_path / "preprocessing.json").write_text("{}")
    with pytest.raises(RunError, match="cannot be read"):
        read(tmp_path)
