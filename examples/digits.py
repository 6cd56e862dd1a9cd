"""Train a small network on scikit-learn's handwritten digits and write it with its images: `digits.py FOLDER`.

Takes seconds on a CPU. The result is what a user brings: a model file and a folder of images, one folder per class.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

SIDE = 32
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)  # what is assumed of a model file that does not say
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


def build() -> nn.Module:
    """Return the network: only layers of torch.nn, so that the file can be opened without running code in it."""

    def block(inputs: int, outputs: int) -> list[nn.Module]:
        convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(), nn.MaxPool2d(2)]

    head = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, 10)]
    return nn.Sequential(*block(3, 32), *block(32, 64), *block(64, 128), *head)


def write_images(folder: Path, images: np.ndarray, labels: np.ndarray) -> list[Path]:
    """Write every digit as a 32x32 RGB picture into the folder of its class."""
    paths = []
    for number, (pixels, label) in enumerate(zip(images, labels, strict=True)):
        path = folder / str(label) / f"{number:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        gray = Image.fromarray((pixels * 255 / 16).astype(np.uint8))
        gray.resize((SIDE, SIDE), Image.Resampling.BILINEAR).convert("RGB").save(path)
        paths.append(path)
    return paths


def read(paths: list[Path]) -> torch.Tensor:
    """Read pictures back, prepared as the network wants them."""
    pixels = np.stack([np.asarray(Image.open(path)) for path in paths])
    return (torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255 - MEAN) / STD


def train(model: nn.Module, images: torch.Tensor, labels: torch.Tensor, epochs: int = 8) -> None:
    """Train in place."""
    steps = epochs * (len(images) // 64 + 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps)
    model.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(images)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(images[batch]), labels[batch]).backward()
            optimizer.step()
            schedule.step()
    model.eval()


def main(folder: Path) -> None:
    """Write FOLDER/images and FOLDER/model.pt."""
    torch.manual_seed(0)
    digits = load_digits()
    parts = train_test_split(digits.images, digits.target, test_size=0.3, random_state=0, stratify=digits.target)
    seen, unseen, seen_labels, unseen_labels = parts
    seen_paths = write_images(folder / "images" / "train", seen, seen_labels)
    unseen_paths = write_images(folder / "images" / "test", unseen, unseen_labels)
    model = build()
    train(model, read(seen_paths), torch.from_numpy(seen_labels))
    with torch.no_grad():
        right = model(read(unseen_paths)).argmax(1) == torch.from_numpy(unseen_labels)
    print(f"top-1 on {len(unseen_paths)} unseen digits: {100 * right.float().mean():.1f} %")
    torch.save(model, folder / "model.pt")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
