"""Images and teachers of the case study."""

import sys
import zipfile
from pathlib import Path

import torch

from advisor.execution.data import open_data
from advisor.execution.images import ImageReader
from advisor.execution.training import Training, fine_tune
from advisor.loading import load
from advisor.loading.model import LoadedModel
from advisor.techniques.distil.presets import preset
from examples.digits import write_images

SHAPE = (1, 3, 32, 32)
TEACHER = "resnet10t"
TEACHER_EPOCHS = 6
BATCH = 32  # there are few images; the survey has 128
_PARTS = {"train": "train", "calib": "calib", "eval": "test"}


def digits(folder: Path) -> Path:
    """Write scikit-learn's digits as pictures, 70 % to train and 30 % to test."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    found = load_digits()
    seen, unseen, seen_labels, unseen_labels = train_test_split(
        found.images, found.target, test_size=0.3, random_state=0, stratify=found.target
    )
    write_images(folder / "train", seen, seen_labels)
    write_images(folder / "test", unseen, unseen_labels)
    return folder


def digits_teacher(images: Path, seed: int) -> LoadedModel:
    """Train a small ResNet as the survey does but in smaller batches, and open it as a file of a user is opened."""
    import timm

    torch.manual_seed(seed)
    module = timm.create_model(TEACHER, num_classes=10)
    usual = preset()
    settings = Training(
        TEACHER_EPOCHS,
        optimizer=usual.optimizer,
        learning_rate=usual.learning_rate,
        weight_decay=usual.weight_decay,
        batch=BATCH,
        patience=TEACHER_EPOCHS,
        seed=seed,
    )
    start = load(module, input_shape=SHAPE)
    fine_tune(module, open_data(images, 10, seed).train, ImageReader(start.preprocessing, 3), settings)
    file = images.parent / f"teacher{seed}.pth"
    torch.save(module.state_dict(), file)
    return load(file, arch=f"timm:{TEACHER}", input_shape=SHAPE)


def cifar(cases: Path, folder: Path) -> Path:
    """Unpack the JPEG images of CIFAR-10 into class folders by part."""
    for part, name in _PARTS.items():
        with zipfile.ZipFile(cases / "images" / f"cifar10_{part}.zip") as archive:
            for member in archive.namelist():
                file = folder / name / member.partition("/")[0] / Path(member).name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(archive.read(member))
    return folder


def cifar_resnet20(cases: Path, seed: int) -> LoadedModel:
    """Open the ResNet-20 that was fine-tuned on these images; it is the same for every seed."""
    del seed
    return cifar_network(cases, "resnet20")


def cifar_network(cases: Path, name: str) -> LoadedModel:
    """Open a network that was trained on these images: resnet20 or mobilenet."""
    sys.path.append(str(cases))
    try:
        import nets
    finally:
        sys.path.remove(str(cases))
    module = nets.ResNetCifar() if name == "resnet20" else nets.CifarMobileNet()
    module.load_state_dict(torch.load(cases / "models" / f"{name}_cifar10jpeg.pth", weights_only=True))
    return load(module.eval(), input_shape=SHAPE)
