"""Small torch networks, float and int8 files of them, made once."""

import functools
import tempfile
from pathlib import Path

import numpy as np

SHAPE = (1, 3, 16, 16)


@functools.cache
def convolutional():
    """A residual network with a depthwise convolution, gates, a pool and a dense layer."""
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU())
            self.deep = nn.Sequential(nn.Conv2d(16, 16, 3, padding=1, groups=16), nn.ReLU6(), nn.Conv2d(16, 16, 1))
            self.gate = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(16, 16, 1), nn.Sigmoid())
            self.pool, self.head = nn.MaxPool2d(2), nn.Linear(16, 5)

        def forward(self, x):
            x = self.stem(x)
            x = torch.relu(x + self.deep(x))
            x = self.pool(x * self.gate(x))
            return self.head(x.mean((2, 3)))

    torch.manual_seed(0)
    net = Net().eval()
    for part in net.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.uniform_(-0.5, 0.5)
            part.running_var.uniform_(0.5, 2)
    return net


@functools.cache
def transformer():
    """A vision transformer of one block."""
    import timm
    import torch

    torch.manual_seed(0)
    sizes = {"img_size": 16, "patch_size": 8, "embed_dim": 32, "depth": 1, "num_heads": 2, "num_classes": 5}
    return timm.create_model("vit_tiny_patch16_224", **sizes).eval()


@functools.cache
def grouped():
    """Convolutions in groups of several channels, whose kernels are of unlike size."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 24, 3, padding=1, groups=4), nn.ReLU(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 5),
    )  # fmt: skip
    with torch.no_grad():
        net[2].weight *= torch.linspace(0.5, 2, 24).reshape(24, 1, 1, 1)
    return net.eval()


NETS = {"convolutional": convolutional, "transformer": transformer, "grouped": grouped}


@functools.cache
def folder() -> Path:
    """Where the files lie."""
    return Path(tempfile.mkdtemp(prefix="runtime-files-"))


@functools.cache
def float_file(name: str) -> Path:
    """The ONNX file of a network."""
    from advisor.runtimes.onnx_export import export_onnx

    return export_onnx(NETS[name](), SHAPE, folder() / f"{name}.onnx")


@functools.cache
def int8_file(name: str) -> Path:
    """The file with quantize nodes: unsigned activations, weights by channel."""
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static

    class Images(CalibrationDataReader):
        def __init__(self):
            self.rest = iter(batches(8))

        def get_next(self):
            batch = next(self.rest, None)
            return None if batch is None else {"input": batch}

    path = folder() / f"{name}-int8.onnx"
    quantize_static(
        float_file(name), path, Images(), quant_format=QuantFormat.QDQ, per_channel=True,
        activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
    )  # fmt: skip
    return path


@functools.cache
def planned_int8(name: str) -> Path:
    """The int8 file that a plan makes of a network: prepared, with whatever the technique leaves in floats."""
    from advisor.techniques.static_int8.apply import apply
    from advisor.techniques.static_int8.step import StaticInt8
    from advisor.techniques.subject import Subject

    place = folder() / f"planned-{name}"
    place.mkdir()
    step = StaticInt8(signedness="u8s8", calibration_images=8)
    subject = Subject(SHAPE, place, onnx=float_file(name), calibration=lambda count: iter(batches(8)))
    return apply(step, subject).onnx


def batches(count: int, shape=SHAPE):
    """Random images."""
    random = np.random.default_rng(7)
    return [random.standard_normal(shape).astype(np.float32) for _ in range(count)]


def plain_outputs(path: Path, batch):
    """What an ONNX file computes when nothing is optimised: quantize nodes one by one, in floats."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: batch})
