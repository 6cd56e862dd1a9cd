"""Small networks and images for the tests of int8, as ONNX files."""

import functools
import itertools
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime as ort

from tests.execution.digits import SIZE, digits_dir, grey

BATCH = 25


@functools.cache
def digits():
    """Return images and labels of the calibration part and of the test part, as arrays."""
    from advisor.execution.data import open_data
    from advisor.execution.images import ImageReader

    data, reader = open_data(digits_dir(), 10), ImageReader(grey(), 1)
    parts = data.train, data.calibration, data.test
    return [next(iter(reader.batches(part, len(part)))) for part in parts]


@functools.cache
def depthwise_net():
    """Return a trained network of depthwise separable convolutions whose channels differ a thousandfold in range.

    Behind each ReLU the next convolution takes the factors back, so that the outputs are those of the even network.
    """
    import torch
    from torch import nn

    from tests.execution.vit import train

    def separable(inputs, outputs, stride):
        return [
            nn.Conv2d(inputs, inputs, 3, stride, 1, groups=inputs, bias=False), nn.BatchNorm2d(inputs), nn.ReLU(),
            nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
        ]  # fmt: skip

    torch.set_num_threads(1)
    torch.manual_seed(0)
    stem = [nn.Conv2d(1, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    layers = [*stem, *separable(16, 32, 2), *separable(32, 32, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    module = nn.Sequential(*layers, nn.Linear(32, 10)).train()
    images, labels = digits()[0]
    train(module, torch.from_numpy(images), torch.from_numpy(labels), epochs=6)
    convolutions = [i for i, layer in enumerate(layers) if isinstance(layer, nn.Conv2d)]
    with torch.no_grad():
        for here, behind in itertools.pairwise(convolutions):
            norm, following = module[here + 1], module[behind]
            factors = 10 ** (3 * torch.rand(norm.num_features) - 1.5)
            norm.weight.mul_(factors)
            norm.bias.mul_(factors)
            axis = 0 if following.groups > 1 else 1
            following.weight.div_(factors.view([-1 if i == axis else 1 for i in range(4)]))
    return module.eval()


def exported(module, shape=(BATCH, 1, SIZE, SIZE)):
    """Write a module as an ONNX file in a folder of its own."""
    from advisor.runtimes.onnx_export import export_onnx

    return export_onnx(module, shape, Path(tempfile.mkdtemp(prefix="int8-")) / "float.onnx")


def subject(source, batches):
    """Return what a technique is applied to."""
    from advisor.techniques.subject import Subject

    folder = Path(tempfile.mkdtemp(prefix="int8-"))
    return Subject(batches[0].shape, folder, onnx=source, calibration=lambda _: iter(batches))


def calibration():
    """Return the calibration images of the digits in batches."""
    images, _ = digits()[1]
    return [images[i : i + BATCH] for i in range(0, len(images) // BATCH * BATCH, BATCH)][:6]


def answers(path, batches):
    """Return the outputs of a file, one row per image."""
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: batch})[0] for batch in batches])


def top1(path):
    """Return top-1 of a file on the test part of the digits, in percent."""
    images, labels = digits()[2]
    count = len(images) // BATCH * BATCH
    found = answers(path, [images[i : i + BATCH] for i in range(0, count, BATCH)])
    return 100 * float((found.argmax(1) == labels[:count]).mean())
