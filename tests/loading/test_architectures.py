import sys
import time
from types import ModuleType, SimpleNamespace

import pytest
import timm
import torch
import torchvision
from torch import nn

from advisor.errors import ModelLoadError
from advisor.loading.architectures import Settings, architecture, brings_weights, build
from advisor.loading.checkpoints import fill, find_content
from advisor.loading.recognition import recognise_weights
from advisor.loading.rehearsal import tensors_in

SMALL = "mobilenetv3_small_050"


def _shapes(weights):
    return {name: tuple(tensor.shape) for name, tensor in weights.items()}


def _outputs(module, shape):
    torch.manual_seed(1)
    with torch.no_grad():
        return list(tensors_in(module.eval()(torch.rand(shape))))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (SMALL, f"timm:{SMALL}"),
        ("timm:resnet50.a1_in1k", "timm:resnet50.a1_in1k"),
        ("fcn_resnet50", "torchvision:fcn_resnet50"),
        ("resnet18", "timm:resnet18"),
        (" torchvision:resnet18 ", "torchvision:resnet18"),
        ("hf-hub:timm/resnet18.a1_in1k", "hf-hub:timm/resnet18.a1_in1k"),
        ("python:nets:make", "python:nets:make"),
        ("ultralytics:yolov8n.yaml", "ultralytics:yolov8n.yaml"),
    ],
)
def test_architectures_are_spelled_out(text, expected):
    assert str(architecture(text)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mobilenetv3_smal_050", r"timm has no network.*Did you mean .*mobilenetv3_small_050"),
        ("timm:resnet50.a1_in", r"no weights called 'a1_in' of resnet50.*Did you mean a1_in1k"),
        ("timm:alexnett", "Did you mean alexnet"),
        ("torchvision:resnet19", r"torchvision has no network.*Did you mean resnet18"),
        ("torchvision:raft_large", "no network called"),
        ("torchvison:resnet18", "Did you mean torchvision"),
        ("tensorflow:resnet50", "Write timm:NAME"),
        ("", "no network called"),
        ("hf-hub:", "name of the network is missing"),
        ("hf_hub:someone/net", r"Did you mean hf-hub"),
        ("timm:hf-hub:someone/net", "no network called"),
    ],
)
def test_unknown_names_are_refused_with_the_nearest(text, message):
    with pytest.raises(ModelLoadError, match=message):
        architecture(text)


def test_a_tag_decides_classes_size_and_preprocessing():
    plain, tagged = build("timm:resnet26t"), build("timm:vit_tiny_patch16_384.augreg_in21k_ft_in1k")
    assert plain.pretrained_cfg["tag"] == "ra2_in1k"
    assert tagged.pretrained_cfg["input_size"] == (3, 384, 384)
    assert tagged.pretrained_cfg["mean"] == (0.5, 0.5, 0.5)
    assert build("timm:resnetv2_50x1_bit.goog_in21k").num_classes == 21843


@pytest.mark.parametrize(
    ("name", "size", "crop"),
    [
        ("mobilenet_v3_small", (3, 224, 224), 224 / 256),
        ("efficientnet_b0", (3, 224, 224), 224 / 256),
        ("lraspp_mobilenet_v3_large", (3, 520, 520), None),
        ("ssdlite320_mobilenet_v3_large", (3, 320, 320), None),
        ("fasterrcnn_mobilenet_v3_large_320_fpn", (3, 320, 320), None),
        ("vit_b_32", (3, 224, 224), 224 / 256),
    ],
)
def test_torchvision_networks_come_with_the_preprocessing_of_their_weights(name, size, crop):
    module = build(f"torchvision:{name}")
    config = module.pretrained_cfg
    assert config["input_size"] == size
    assert config.get("crop_pct") == crop
    detector = name.startswith(("ssd", "fasterrcnn"))
    assert config["mean"] == ((0.0, 0.0, 0.0) if detector else (0.485, 0.456, 0.406))
    assert _outputs(module, (1, *size))


def test_random_weights_are_the_same_each_time_and_leave_the_generator_alone():
    before = torch.random.get_rng_state()
    first, second = build("torchvision:squeezenet1_1"), build("torchvision:squeezenet1_1")
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    assert torch.equal(before, torch.random.get_rng_state())


def _vit(**options):
    return timm.create_model("vit_tiny_patch16_224", **options)


def _gray():
    module = torchvision.models.shufflenet_v2_x0_5(num_classes=4)
    module.conv1[0] = nn.Conv2d(1, 24, 3, 2, 1, bias=False)
    return module


TRAINED = {
    "classes": (lambda: timm.create_model(SMALL, num_classes=7), (1, 3, 64, 64)),
    "gray": (lambda: timm.create_model(SMALL, in_chans=1), (1, 1, 64, 64)),
    "no classifier": (lambda: timm.create_model(SMALL, num_classes=0), (1, 3, 64, 64)),
    "image size": (lambda: _vit(img_size=96, num_classes=5), (1, 3, 96, 96)),
    "two classifiers": (lambda: timm.create_model("levit_128s", num_classes=6), (1, 3, 224, 224)),
    "torchvision": (lambda: torchvision.models.mobilenet_v3_small(num_classes=3), (1, 3, 64, 64)),
    "torchvision, gray": (_gray, (1, 1, 64, 64)),
    "torchvision, size": (lambda: torchvision.models.vit_b_32(image_size=64, num_classes=2), (1, 3, 64, 64)),
    "segmenter": (
        lambda: torchvision.models.segmentation.lraspp_mobilenet_v3_large(weights_backbone=None, num_classes=3),
        (1, 3, 64, 64),
    ),
    "segmenter with a part for training": (
        lambda: torchvision.models.segmentation.deeplabv3_mobilenet_v3_large(
            weights_backbone=None, num_classes=3, aux_loss=True
        ),
        (1, 3, 64, 64),
    ),
    "detector": (
        lambda: torchvision.models.detection.ssdlite320_mobilenet_v3_large(weights_backbone=None, num_classes=4),
        (1, 3, 320, 320),
    ),
}


@pytest.mark.parametrize(("make", "shape"), TRAINED.values(), ids=TRAINED.keys())
def test_weights_are_recognised_built_and_give_the_same_outputs(tmp_path, make, shape):
    trained = make()
    stored = {"state_dict": {f"module.{name}": tensor for name, tensor in trained.state_dict().items()}}
    weights, _ = find_content(stored, tmp_path)
    found = recognise_weights(_shapes(weights))
    module = build(found.arch, weights=weights)
    fill(module, weights, tmp_path, found.arch)
    for one, other in zip(_outputs(trained, shape), _outputs(module, shape), strict=True):
        assert torch.allclose(one, other)


def test_weights_in_the_authors_naming_are_recognised_built_and_translated(tmp_path):
    trained = timm.create_model("swin_tiny_patch4_window7_224", num_classes=5)
    weights = {name.replace("head.fc.", "head."): tensor for name, tensor in trained.state_dict().items()}
    for layer in (1, 2, 3):  # the authors count the halving of the image to the stage before it
        ours, theirs = f"layers.{layer}.downsample", f"layers.{layer - 1}.downsample"
        weights = {name.replace(ours, theirs): tensor for name, tensor in weights.items()}
    found = recognise_weights(_shapes(weights), "swin_tiny_patch4_window7_224")
    module = build(found.arch, weights=weights, wanted=Settings(classes=found.classes))
    notes = fill(module, weights, tmp_path, found.arch)
    assert any("translated" in note for note in notes)
    assert torch.equal(module.head.fc.weight, trained.head.fc.weight)


@pytest.fixture
def nets(tmp_path, monkeypatch):
    (tmp_path / "ownnets.py").write_text(
        "import torch\n"
        "def make():\n    return torch.nn.Linear(2, 3).train()\n"
        "def text():\n    return 'net'\n"
        "def fails():\n    raise KeyError('width\\nand more')\n"
        "def leaves():\n    raise SystemExit(3)\n"
    )
    (tmp_path / "broken.py").write_text("1 / 0\n")
    monkeypatch.chdir(tmp_path)
    yield
    for name in ("ownnets", "broken"):
        sys.modules.pop(name, None)


def test_code_of_ones_own_runs_only_with_trust(nets):
    with pytest.raises(ModelLoadError, match=r"runs code of your own.*--trust"):
        build("python:ownnets:make")
    assert "ownnets" not in sys.modules
    before = list(sys.path)
    module = build("python:ownnets:make", trust=True)
    assert isinstance(module, nn.Linear)
    assert not module.training
    assert sys.path == before


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ownnets:mak", "no function 'mak'.*Did you mean make"),
        ("ownnets:text", "returns str, not a network"),
        ("ownnets:fails", "KeyError. 'width"),
        ("ownnets:leaves", "SystemExit"),
        ("broken:make", "ZeroDivisionError. division by zero"),
        ("absent_module:make", "ModuleNotFoundError. No module named 'absent_module'"),
        ("ownnets", "names no function"),
    ],
)
def test_faults_of_ones_own_code_are_told_in_one_line(nets, name, message):
    with pytest.raises(ModelLoadError, match=message) as caught:
        build(f"python:{name}", trust=True)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [("someone", "no name on the hub"), ("../x", "no name on the hub"), ("a/b/c", "no name on the hub")],
)
def test_names_that_are_none_on_the_hub_are_refused(name, message):
    with pytest.raises(ModelLoadError, match=message):
        build(f"hf-hub:{name}")


@pytest.mark.parametrize("offline", [True, False])
def test_a_hub_out_of_reach_is_told_at_once(monkeypatch, tmp_path, offline):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", offline)
    monkeypatch.setattr(constants, "ENDPOINT", "https://hub.invalid")
    for variable in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.delenv(variable.upper(), raising=False)
    start = time.monotonic()
    with pytest.raises(ModelLoadError, match="cannot be had from the Hugging Face hub") as caught:
        build("hf-hub:no-such-organisation/no-such-network")
    assert time.monotonic() - start < 10
    assert ("HF_HUB_OFFLINE" in str(caught.value)) is offline
    assert "\n" not in str(caught.value)


def test_networks_from_the_hub_bring_their_weights(monkeypatch):
    asked = []
    monkeypatch.setattr("advisor.loading.architectures.from_hub._cached", lambda name: True)
    monkeypatch.setattr(timm, "create_model", lambda name, **options: asked.append((name, options)) or nn.Linear(1, 1))
    build("hf-hub:timm/resnet18.a1_in1k")
    assert asked == [("hf-hub:timm/resnet18.a1_in1k", {"pretrained": True})]
    assert brings_weights(architecture("hf-hub:timm/resnet18.a1_in1k"))
    assert not brings_weights(architecture(SMALL))


def test_without_ultralytics_its_installation_is_proposed(monkeypatch):
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    with pytest.raises(ModelLoadError, match="pip install ultralytics"):
        build("ultralytics:yolov8n.yaml")


class _Detector(nn.Module):
    def __init__(self, description, verbose=True):
        super().__init__()
        self.yaml = description
        self.model = nn.Conv2d(description.get("ch", 3), description["nc"], 1)


@pytest.fixture
def ultralytics(tmp_path, monkeypatch):
    """A stand-in with the parts of the package that are used."""
    shipped = tmp_path / "package" / "cfg" / "models" / "v8"
    shipped.mkdir(parents=True)
    (shipped / "yolov8.yaml").write_text("nc: 80\n")
    package = ModuleType("ultralytics")
    package.__file__ = str(tmp_path / "package" / "__init__.py")
    package.opened = []
    package.YOLO = lambda path: package.opened.append(path) or SimpleNamespace(model=_Detector({"nc": 80}))
    monkeypatch.setitem(sys.modules, "ultralytics", package)
    monkeypatch.chdir(tmp_path)
    return package


def test_shipped_descriptions_of_ultralytics_are_built_with_classes_and_channels(ultralytics, tmp_path):
    assert build("ultralytics:yolov8n.yaml").model.out_channels == 80
    assert ultralytics.opened == [str(tmp_path / "package" / "cfg" / "models" / "v8" / "yolov8n.yaml")]
    changed = build("ultralytics:yolov8n.yaml", wanted=Settings(classes=4, channels=1))
    assert (changed.model.in_channels, changed.model.out_channels) == (1, 4)


@pytest.mark.parametrize("name", ["yolov9n.yaml", "own.yaml", "../own.yaml", "yolov8n.pt", "/etc/own.yaml"])
def test_descriptions_from_elsewhere_are_not_given_to_ultralytics(ultralytics, tmp_path, name):
    (tmp_path / "own.yaml").write_text("act: exit()\n")
    with pytest.raises(ModelLoadError, match="ships no network called"):
        build(f"ultralytics:{name}")
    assert not ultralytics.opened


def test_torchvision_detectors_keep_their_three_channels():
    with pytest.raises(ModelLoadError, match="3 channels only"):
        build("torchvision:ssdlite320_mobilenet_v3_large", input_shape=(1, 1, 320, 320))


def test_what_a_library_cannot_build_is_told_with_the_settings():
    with pytest.raises(ModelLoadError, match="timm cannot build 'resnet18' with input channels -1"):
        build("timm:resnet18", wanted=Settings(channels=-1))
