"""The trained ResNet-20 and the CIFAR-10 images of the shared cases, where they are there."""

import importlib.util
import sys
import zipfile
from pathlib import Path

import numpy as np

CASES = Path(__file__).resolve().parents[3] / "shared" / "cases"


def resnet20():
    """Return the network that was trained on these JPEG images."""
    import torch

    spec = importlib.util.spec_from_file_location("shared_nets", CASES / "nets.py")
    nets = importlib.util.module_from_spec(spec)
    sys.modules["shared_nets"] = nets
    spec.loader.exec_module(nets)
    net = nets.ResNetCifar(20)
    net.load_state_dict(torch.load(CASES / "models" / "resnet20_cifar10jpeg.pth", weights_only=True))
    return net.eval()


def unpack(name, folder, count=None):
    """Write images of a part (train, calib, eval) into class folders: so many evenly chosen ones, or all."""
    with zipfile.ZipFile(CASES / "images" / f"cifar10_{name}.zip") as archive:
        names = [n for n in archive.namelist() if not n.endswith("/")]
        for index in np.linspace(0, len(names) - 1, count or len(names)).astype(int):
            target = folder / names[index]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(archive.read(names[index]))
