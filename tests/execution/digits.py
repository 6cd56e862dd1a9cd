"""A small trained network and real images (scikit-learn's digits) as class folders; made once per process."""

import functools
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = 16


def write_digits(root: Path, count: int = 1797) -> Path:
    """Write the digits as 16 x 16 grey PNGs in ten class folders."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    for index, (pixels, label) in enumerate(zip(digits.images[:count], digits.target[:count], strict=True)):
        folder = root / str(label)
        folder.mkdir(parents=True, exist_ok=True)
        image = Image.fromarray((pixels * 255 / 16).astype(np.uint8))
        image.resize((SIZE, SIZE), Image.Resampling.NEAREST).save(folder / f"{index:04d}.png")
    return root


@functools.cache
def digits_dir() -> Path:
    """Return the folder of the digits."""
    return write_digits(Path(tempfile.mkdtemp(prefix="digits-")))


def build():
    """Return the untrained network: a residual block between two convolutions."""
    from torch import nn

    class Block(nn.Module):
        def __init__(self, width):
            super().__init__()
            self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
            self.bn1 = nn.BatchNorm2d(width)
            self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
            self.bn2 = nn.BatchNorm2d(width)

        def forward(self, x):
            inner = nn.functional.relu(self.bn1(self.conv1(x)))
            return nn.functional.relu(self.bn2(self.conv2(inner)) + x)

    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
        Block(32), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, 10),
    )  # fmt: skip


def grey():
    """Return the preprocessing of the network."""
    from advisor.loading.preprocessing import Preprocessing

    return Preprocessing(size=(SIZE, SIZE), mean=(0.3,), std=(0.35,))


@functools.cache
def trained():
    """Return the network trained on the training part of the digits."""
    import torch

    from advisor.execution.data import open_data
    from advisor.execution.images import ImageReader
    from advisor.execution.training import Training, fine_tune

    torch.set_num_threads(1)
    torch.manual_seed(0)
    module = build()
    data = open_data(digits_dir(), 10)
    fine_tune(module, data.train, ImageReader(grey(), 1), Training(epochs=8, learning_rate=0.1))
    return module


def loaded(module=None, shape=(1, 1, SIZE, SIZE), **fields):
    """Return the trained network as loading would; fields replace those of LoadedModel."""
    from advisor.loading.model import LoadedModel
    from advisor.schema import ModelInput

    given = {
        "module": trained() if module is None else module,
        "onnx_path": None,
        "name": "digits-net",
        "source": "tests",
        "format": "torch",
        "inputs": (ModelInput(shape=shape),),
        "preprocessing": grey(),
        "random_weights": False,
        "classes": 10,
        "arch": None,
        "spec": {},
    }
    return LoadedModel(**{**given, **fields})
