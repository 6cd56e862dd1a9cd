"""Task, classes and head of real networks and of the outputs that detectors are known by."""

import pytest
import timm
import torch
import torchvision
from torch import nn

from advisor.facts import abilities, model_facts
from advisor.profiling import profile_module

pytestmark = pytest.mark.real


class Rows(nn.Module):
    """One row of results per grid cell of strides 8, 16 and 32, as exported YOLO heads give."""

    def __init__(self, anchors=1):
        super().__init__()
        self.convs = nn.ModuleList(nn.Conv2d(3, 84 * anchors, 1, stride=s) for s in (8, 16, 32))

    def forward(self, x):
        return torch.cat([conv(x).flatten(2).reshape(1, 84, -1) for conv in self.convs], 2)


class Maps(nn.Module):
    """The raw maps of a one-stage head."""

    def __init__(self):
        super().__init__()
        self.head = nn.ModuleList(nn.Conv2d(3, 255, 1, stride=s) for s in (8, 16, 32))

    def forward(self, x):
        return [conv(x) for conv in self.head]


class Queries(nn.Module):
    """Boxes beside scores, as DETR gives."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 8, stride=8)
        self.score, self.box = nn.Linear(16, 92), nn.Linear(16, 4)

    def forward(self, x):
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        return {"logits": self.score(tokens), "pred_boxes": self.box(tokens).sigmoid()}


def larger():
    return nn.Sequential(nn.Conv2d(3, 27, 3, padding=1), nn.PixelShuffle(3))


CASES = {
    "resnet18": (lambda: timm.create_model("resnet18"), 64, "classification", 1000, "fc"),
    "mobilenetv3": (
        lambda: timm.create_model("mobilenetv3_small_050", num_classes=7), 64, "classification", 7, "classifier",
    ),
    "vit": (lambda: timm.create_model("vit_tiny_patch16_224", img_size=32), 32, "classification", 1000, "head"),
    "squeezenet": (torchvision.models.squeezenet1_1, 64, "classification", 1000, "classifier.1"),
    "features": (lambda: timm.create_model("resnet18", num_classes=0), 64, "embedding", None, "layer4.1.conv2"),
    "vit features": (
        lambda: timm.create_model("vit_tiny_patch16_224", img_size=32, num_classes=0), 32, "embedding", None,
        "blocks.11.mlp.fc2",
    ),
    "segmenter": (
        lambda: torchvision.models.segmentation.lraspp_mobilenet_v3_large(weights_backbone=None), 64,
        "segmentation", 21, "classifier.low_classifier",
    ),
    "detector": (
        lambda: torchvision.models.detection.ssdlite320_mobilenet_v3_large(weights_backbone=None, num_classes=5), 320,
        "detection", None, None,
    ),
    "rows": (Rows, 64, "detection", None, "convs"),
    "rows of three anchors": (lambda: Rows(3), 64, "detection", None, "convs"),
    "maps": (Maps, 64, "detection", None, "head"),
    "queries": (Queries, 64, "detection", None, None),
    "superresolution": (larger, 32, "superres", None, "0"),
    "feature map": (lambda: nn.Conv2d(3, 8, 3, stride=16), 64, None, None, None),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_task_classes_and_head(name):
    build, side, task, classes, head = CASES[name]
    facts = model_facts(profile_module(build(), (1, 3, side, side)))
    assert facts.get("model.task") == task
    assert facts.get("model.classes") == classes
    if head is not None:
        assert facts["model.head"] == head


@pytest.mark.parametrize(
    ("facts", "possible"),
    [
        ({"model.format": "torch"}, {"profile", "preview", "quantize", "prune"}),
        ({"model.format": "onnx"}, {"profile", "preview", "quantize"}),
        ({"model.format": "torchscript"}, {"profile", "preview", "quantize"}),
        ({"model.format": "torch", "model.inputs_n": 2}, {"profile", "preview"}),
        ({"model.format": "onnx", "model.quantized": True}, {"profile"}),
    ],
)
def test_what_can_be_done_is_said_with_the_reason(facts, possible):
    found = abilities(facts)
    assert {a.action for a in found if a.possible} == possible
    assert all(a.why for a in found if not a.possible)
