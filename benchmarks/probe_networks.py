"""Small networks of a dozen families, and digits that are hard enough for losses to show."""

from collections.abc import Callable

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from timm.models import convnext, densenet, mlp_mixer, regnet, vision_transformer
from torch import nn
from torchvision.models import mobilenetv3, shufflenetv2

from benchmarks.tiny_networks import norm_conv, resnet_cifar

SIDE, CLASSES = 32, 10
COPIES = {"train": 2, "val": 4, "test": 4}  # of every digit, each moved and with noise of its own
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)  # what is assumed of a module that does not say
STD = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


def plain() -> nn.Module:
    """Convolutions and pooling, as VGG."""
    layers: list[nn.Module] = []
    for wide, out in ((3, 24), (24, 48), (48, 96)):
        layers += [*norm_conv(wide, out, 3), nn.ReLU(), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(96, CLASSES))


def without_norm() -> nn.Module:
    """Convolutions with biases and large fully connected layers, as AlexNet."""
    return nn.Sequential(
        nn.Conv2d(3, 24, 5, 2, 2), nn.ReLU(), nn.Conv2d(24, 48, 3, 2, 1), nn.ReLU(), nn.Conv2d(48, 64, 3, 2, 1),
        nn.ReLU(),
        nn.Flatten(), nn.Linear(64 * 16, 128), nn.ReLU(), nn.Linear(128, CLASSES),
    )  # fmt: skip


def separable() -> nn.Module:
    """MobileNetV1's blocks: depthwise and pointwise convolutions."""
    layers: list[nn.Module] = [*norm_conv(3, 24, 3, 2), nn.ReLU()]
    for wide, out, stride in ((24, 48, 1), (48, 96, 2), (96, 96, 1), (96, 128, 2)):
        layers += [*norm_conv(wide, wide, 3, stride, groups=wide), nn.ReLU(), *norm_conv(wide, out, 1), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(128, CLASSES))


class Fire(nn.Module):
    """A squeeze and two expansions side by side, as SqueezeNet has them, with batch norms."""

    def __init__(self, wide: int, squeeze: int, out: int) -> None:
        super().__init__()
        self.squeeze = nn.Sequential(*norm_conv(wide, squeeze, 1), nn.ReLU())
        self.small = nn.Sequential(*norm_conv(squeeze, out // 2, 1), nn.ReLU())
        self.large = nn.Sequential(*norm_conv(squeeze, out // 2, 3), nn.ReLU())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return both expansions, joined."""
        squeezed = self.squeeze(x)
        return torch.cat([self.small(squeezed), self.large(squeezed)], 1)


def fires() -> nn.Module:
    """SqueezeNet's modules."""
    return nn.Sequential(*norm_conv(3, 24, 3, 2), nn.ReLU(), Fire(24, 12, 48), Fire(48, 12, 48), nn.MaxPool2d(2),
                         Fire(48, 24, 96), Fire(96, 24, 96), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(96, CLASSES))  # fmt: skip


def inverted() -> nn.Module:
    """MobileNetV2's blocks with ReLU6."""

    def block(wide: int, out: int, stride: int) -> list[nn.Module]:
        inner = 4 * wide
        return [*norm_conv(wide, inner, 1), nn.ReLU6(), *norm_conv(inner, inner, 3, stride, groups=inner), nn.ReLU6(),
                *norm_conv(inner, out, 1)]  # fmt: skip

    body = [*block(16, 24, 1), *block(24, 32, 2), *block(32, 48, 1), *block(48, 64, 2)]
    return nn.Sequential(*norm_conv(3, 16, 3, 2), nn.ReLU6(), *body, nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                         nn.Linear(64, CLASSES))  # fmt: skip


def hard_swish() -> nn.Module:
    """MobileNetV3's blocks: squeeze and excite, hard swish."""
    block = mobilenetv3.InvertedResidualConfig
    rows = [block(16, 3, 32, 16, True, "RE", 2, 1, 1.0), block(16, 3, 64, 24, False, "HS", 1, 1, 1.0),
            block(24, 5, 96, 32, True, "HS", 2, 1, 1.0), block(32, 5, 128, 32, True, "HS", 1, 1, 1.0)]  # fmt: skip
    return mobilenetv3.MobileNetV3(rows, 96, num_classes=CLASSES, norm_layer=nn.BatchNorm2d, dropout=0.0)


NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "plain convolutions": plain,
    "no batch norm": without_norm,
    "ResNet-8": lambda: resnet_cifar(1, CLASSES),
    "MobileNetV1 blocks": separable,
    "MobileNetV2 blocks": inverted,
    "MobileNetV3 blocks": hard_swish,
    "ShuffleNetV2": lambda: shufflenetv2.ShuffleNetV2([2, 2, 2], [16, 32, 64, 96, 128], num_classes=CLASSES),
    "SqueezeNet modules": fires,
    "DenseNet": lambda: densenet.DenseNet(growth_rate=12, block_config=(2, 4, 4), stem_type="", num_classes=CLASSES),
    "RegNet": lambda: regnet.RegNet(
        regnet.RegNetCfg(depth=6, w0=16, wa=16.0, wm=2.0, group_size=8), num_classes=CLASSES
    ),
    "ConvNeXt": lambda: convnext.ConvNeXt(
        depths=(1, 1, 1, 1), dims=(16, 32, 64, 96), patch_size=2, num_classes=CLASSES
    ),
    "ViT": lambda: vision_transformer.VisionTransformer(
        img_size=SIDE, patch_size=8, embed_dim=64, depth=4, num_heads=4, num_classes=CLASSES
    ),
    "MLP-Mixer": lambda: mlp_mixer.MlpMixer(
        img_size=SIDE, patch_size=8, embed_dim=64, num_blocks=4, num_classes=CLASSES
    ),
}  # fmt: skip

RECIPES = {  # epochs and largest learning rate, where they are not the usual ones
    "RegNet": (25, 3e-3), "ConvNeXt": (20, 2e-3), "ViT": (40, 1e-3), "MLP-Mixer": (30, 1e-3),
}  # fmt: skip


def images(seed: int = 0) -> dict[str, np.ndarray]:
    """Return digits as 32x32 RGB, each several times, shifted and with noise: x_train, y_train, x_val, ..., y_test.

    58 % of the digits train, 12 % are for validation, 30 % test; no digit is in two parts.
    """
    found, rng = load_digits(), np.random.default_rng(seed)
    seen, test, labels, test_labels = train_test_split(
        found.images, found.target, test_size=0.3, random_state=0, stratify=found.target
    )
    train, val, train_labels, val_labels = train_test_split(
        seen, labels, test_size=1 / 6, random_state=0, stratify=labels
    )
    parts = (("train", train, train_labels), ("val", val, val_labels), ("test", test, test_labels))
    arrays = {}
    for name, pixels, labels in parts:
        pictures = [_picture(image, rng) for image in pixels for _ in range(COPIES[name])]
        arrays |= {f"x_{name}": np.stack(pictures), f"y_{name}": np.repeat(labels, COPIES[name]).astype(np.int64)}
    return arrays


def _picture(pixels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    gray = Image.fromarray((pixels * 255 / 16).astype(np.uint8)).resize((24, 24), Image.Resampling.BILINEAR)
    canvas = np.zeros((SIDE, SIDE), dtype=np.float64)
    top, left = rng.integers(0, SIDE - 24 + 1, size=2)
    canvas[top : top + 24, left : left + 24] = np.asarray(gray)
    noisy = np.clip(0.7 * canvas + rng.normal(0, 45, canvas.shape), 0, 255).astype(np.uint8)
    return np.repeat(noisy[..., None], 3, axis=2)


def trained(name: str, arrays: dict[str, np.ndarray], seed: int) -> nn.Module:
    """Train a network on all training images."""
    torch.manual_seed(seed)
    model, (epochs, rate) = NETWORKS[name](), RECIPES.get(name, (10, 3e-3))
    pixels = (torch.from_numpy(arrays["x_train"]).permute(0, 3, 1, 2) / 255 - MEAN) / STD
    labels = torch.from_numpy(arrays["y_train"])
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=1e-2)
    total = epochs * (len(pixels) // 64 + 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=rate, total_steps=total)
    for _ in range(epochs):
        model.train()
        for batch in torch.randperm(len(pixels)).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(pixels[batch]), labels[batch]).backward()
            optimizer.step()
            schedule.step()
    return model.eval()
