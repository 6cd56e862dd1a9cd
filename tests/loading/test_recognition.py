import subprocess
import sys

import pytest

from advisor.loading.recognition import Classifier, Level, read_layout, recognise_weights
from advisor.loading.recognition.build import learn, make_group
from advisor.loading.recognition.differences import differences, explain_candidates
from advisor.loading.recognition.index import index_path, parse_index, read_index
from advisor.loading.recognition.networks import known_networks, network_shapes

# One or two of every family, small ones; with what is special about some.
FAMILIES = [
    "timm:beit_base_patch16_224",  # relative position tables with rows beside the distances
    "timm:convnext_atto",
    "timm:crossvit_tiny_240",  # two first convolutions and two classifiers
    "timm:deit_tiny_distilled_patch16_224",  # two classifiers
    "timm:densenet121",
    "timm:efficientnet_b0",
    "timm:eva02_tiny_patch14_224",  # published without classifier
    "timm:ghostnet_050",
    "timm:hrnet_w18_small",
    "timm:inception_v3",
    "timm:levit_128s",  # classifiers with a norm, attention tables
    "timm:maxvit_rmlp_pico_rw_256",
    "timm:mixer_s32_224",
    "timm:mobilenetv3_small_050",
    "timm:mobilevit_xxs",
    "timm:regnetx_002",
    "timm:repvgg_a0",
    "timm:resnet18",
    "timm:swin_tiny_patch4_window7_224",
    "timm:tresnet_m",  # first convolution on rearranged pixels
    "timm:vgg11",
    "timm:vit_tiny_patch16_224",
    "timm:volo_d1_224",
    "torchvision:fasterrcnn_mobilenet_v3_large_320_fpn",
    "torchvision:lraspp_mobilenet_v3_large",
    "torchvision:regnet_x_400mf",  # cannot be built on torch's meta device
    "torchvision:shufflenet_v2_x0_5",
    "torchvision:ssdlite320_mobilenet_v3_large",  # many rows for each class
]
TIMM = [arch for arch in FAMILIES if arch.startswith("timm:")]


@pytest.fixture(scope="module")
def published():
    return {arch: network_shapes(arch) for arch in FAMILIES}


@pytest.mark.parametrize("arch", FAMILIES)
def test_published_weights_are_recognised_whatever_the_order_and_bookkeeping(published, arch):
    shapes = dict(reversed(published[arch].items()))
    counters = {name: shape for name, shape in shapes.items() if not name.endswith("num_batches_tracked")}
    for weights in (shapes, counters, shapes | {"total_ops": (1,), "blocks.0.attn.relative_position_index": (49, 49)}):
        found = recognise_weights(weights)
        assert found.level is Level.EXACT
        assert arch in (found.arch, *found.twins)
        assert not found.prefix
        assert not found.other_channels


@pytest.mark.parametrize("arch", FAMILIES)
def test_another_number_of_classes_is_read_off(arch):
    found = recognise_weights(network_shapes(arch, num_classes=37))
    assert arch in (found.arch, *found.twins)
    assert (found.classes, found.classifier) == (37, Classifier.CLASSES)


@pytest.mark.parametrize("arch", TIMM)
def test_other_input_channels_are_read_off_also_without_classifier(arch):
    found = recognise_weights(network_shapes(arch, num_classes=0, in_chans=4))
    assert arch in (found.arch, *found.twins)
    assert (found.classes, found.channels, found.other_channels) == (0, 4, True)


@pytest.mark.parametrize(
    ("arch", "side"),
    [
        ("timm:vit_tiny_patch16_224", 320),
        ("timm:vit_small_patch14_dinov2", 224),
        ("timm:deit_tiny_distilled_patch16_224", 96),
        ("timm:beit_base_patch16_224", 320),
        ("timm:levit_128s", 320),
        ("timm:mixer_s32_224", 448),
        ("timm:resnet50_clip", 448),
        ("timm:volo_d1_224", 288),
    ],
)
def test_another_image_size_is_read_off(arch, side):
    found = recognise_weights(network_shapes(arch, img_size=side, num_classes=5))
    assert arch in (found.arch, *found.twins)
    assert (found.level, found.image_size, found.classes) == (Level.SIZE, side, 5)


def test_torchvisions_image_size_and_parts_for_training(published):
    resized = recognise_weights(network_shapes("torchvision:vit_b_32", image_size=384))
    assert (resized.arch, resized.image_size) == ("torchvision:vit_b_32", 384)
    for auxiliary in (True, False):
        found = recognise_weights(network_shapes("torchvision:googlenet", aux_logits=auxiliary, num_classes=9))
        assert (found.arch, found.classes) == ("torchvision:googlenet", 9)


def test_patches_of_another_size_are_another_network():
    """At 448 pixels patches of 16 are as many as patches of 8 at 224; the first convolution tells them apart."""
    found = recognise_weights(network_shapes("timm:vit_base_patch16_224", img_size=448))
    assert (found.arch, found.image_size) == ("timm:vit_base_patch16_224", 448)


@pytest.mark.parametrize(
    ("names", "prefix", "aside"),
    [
        ({"module.": "net"}, "module.", ()),
        ({"model.": "net", "criterion.": "loss"}, "model.", (("criterion", 2),)),
        ({"student.backbone.": "net", "student.head.": "loss"}, "student.backbone.", (("student.head", 2),)),
        ({"student.": "net", "teacher.": "net"}, "teacher.", (("student", 102),)),
        ({"student.backbone.": "net", "teacher.backbone.": "net"}, "teacher.backbone.", (("student", 102),)),
        ({"detector.body.": "net", "": "loss"}, "detector.body.", (("weight", 1), ("bias", 1))),
    ],
    ids=["data parallel", "lightning", "nested", "two copies", "two nested copies", "beside others"],
)
def test_a_network_is_found_beside_other_things(published, names, prefix, aside):
    parts = {"net": published["timm:resnet18"], "loss": {"weight": (3, 4), "bias": (3,)}}
    weights = {f"{before}{name}": shape for before, part in names.items() for name, shape in parts[part].items()}
    found = recognise_weights(weights)
    assert (found.level, found.arch, found.prefix) == (Level.EXACT, "timm:resnet18", prefix)
    assert found.aside == aside


def test_a_classifier_of_ones_own_is_told(published):
    weights = {k: s for k, s in published["timm:resnet18"].items() if not k.startswith("fc.")}
    weights |= {"fc.0.weight": (64, 512), "fc.0.bias": (64,), "fc.2.weight": (6, 64), "fc.2.bias": (6,)}
    found = recognise_weights(weights)
    assert found.arch == "timm:resnet18"
    assert (found.classifier, found.classes) == (Classifier.OWN, 6)


@pytest.mark.parametrize(
    ("arch", "classes"),
    [
        ("timm:swin_tiny_patch4_window7_224", 1000),
        ("timm:swin_tiny_patch4_window7_224", 12),
        ("timm:vit_small_patch14_dinov2", 12),  # published without classifier
    ],
)
def test_other_names_with_the_same_shapes_are_recognised(arch, classes):
    shapes = network_shapes(arch, num_classes=classes)
    layers = list(dict.fromkeys(name.rpartition(".")[0] for name in shapes))
    split = [(name.rpartition("."), shape) for name, shape in shapes.items()]
    found = recognise_weights({f"part{layers.index(layer)}.{last}": shape for (layer, _, last), shape in split})
    assert arch in (found.arch, *found.twins)
    assert (found.level, found.classes) == (Level.RENAMED, classes)


@pytest.mark.parametrize(
    ("hint", "arch"),
    [
        ("", "timm:resnet50"),
        ("runs/ResNet-AA50_best.pth", "timm:resnetaa50"),
        ("torchvision_resnet50.pth", "torchvision:resnet50"),
    ],
)
def test_among_twins_the_hint_decides_and_the_others_are_named(hint, arch):
    found = recognise_weights(network_shapes("timm:resnet50"), hint)
    assert found.arch == arch
    everyone = {"timm:resnet50", "timm:resnetaa50", "timm:resnetblur50", "torchvision:resnet50"}
    assert {found.arch, *found.twins} == everyone


def test_names_of_conversions_are_not_preferred(published):
    found = recognise_weights(published["timm:efficientnet_b0"])
    assert found.arch == "timm:efficientnet_b0"
    assert "timm:tf_efficientnet_b0" in found.twins


def test_changed_widths_name_the_network_as_nearest_and_say_what_differs(published):
    """As after channel pruning: every layer is there, narrower."""
    shapes = published["timm:mobilenetv3_small_050"].items()
    pruned = {f"model.{name}": tuple(v // 2 if v % 64 == 0 else v for v in shape) for name, shape in shapes}
    found = recognise_weights(pruned)
    assert not found.found
    assert found.candidates[0].same_names
    assert "timm:mobilenetv3_small_050" in {candidate.arch for candidate in found.candidates}
    told = explain_candidates(found, pruned)
    assert any("of another shape" in str(one) and one.arch == "timm:mobilenetv3_small_050" for one in told)


def test_missing_and_surplus_entries_are_counted_with_examples(published):
    weights = dict(published["timm:resnet18"])
    del weights["layer4.1.conv2.weight"]
    weights["extra.weight"] = (3, 3)
    found = recognise_weights(weights)
    assert found.candidates[0].arch == "timm:resnet18"
    assert str(differences("timm:resnet18", weights)) == (
        "timm:resnet18: 101 entries fit; 1 missing (layer4.1.conv2.weight), 1 surplus (extra.weight)"
    )


@pytest.mark.parametrize(
    "weights",
    [
        {},
        {"a": ()},
        {"weight": (3, 4), "bias": (3,)},
        {"num_batches_tracked": ()},
        {"." * 5000: (1,), "": (2,), "..": (3,)},
        {"\ud800": (1, 2)},
        {f"a.b.{i}.weight": (i, 3) for i in range(100_000)},
        {f"layer{i}.weight": (7, 7) for i in range(50)},
        {f"conv{i}.weight": (0, -1, 2**70) for i in range(30)},
    ],
    ids=["empty", "scalar", "one layer", "bookkeeping", "dots", "surrogate", "endless", "unknown", "absurd shapes"],
)
def test_what_is_no_known_network_is_not_taken_for_one(weights):
    found = recognise_weights(weights)
    assert not found.found
    assert "no known architecture" in str(found)


@pytest.mark.parametrize(
    ("arch", "options", "expected"),
    [
        ("timm:resnet18", {"num_classes": 3, "in_chans": 1}, (3, 1, None)),
        ("timm:resnet18.a1_in1k", {"num_classes": 0}, (0, 3, None)),
        ("timm:vit_tiny_patch16_224", {"img_size": 384}, (1000, 3, 384)),
        ("torchvision:ssd300_vgg16", {"num_classes": 21}, (21, None, None)),
        ("timm:no_such_network", {}, (None, None, None)),
    ],
)
def test_weights_of_a_named_architecture_are_read(arch, options, expected):
    known = arch.partition(".")[0] if "no_such" not in arch else "timm:resnet18"
    reading = read_layout(arch, network_shapes(known, **options))
    assert (reading.classes, reading.channels, reading.image_size) == expected


def test_the_index_knows_every_installed_network():
    index = read_index()
    missing = set(known_networks()) - index.by_name.keys()
    gone = index.by_name.keys() - set(known_networks())
    assert not missing | gone, "rebuild it with python -m advisor.loading.recognition.build"


@pytest.mark.parametrize("arch", ["timm:levit_128s", "timm:vit_tiny_patch16_224", "torchvision:googlenet"])
def test_the_index_holds_what_building_it_again_gives(arch):
    index = read_index()
    groups = index.by_name[arch]
    again = learn(arch)
    assert sorted(make_group(known, 0)._replace(names="") for known in again) == sorted(
        group._replace(names="", layout=0) for group in groups
    )
    assert {known.layout for known in again} == {index.layouts[group.layout] for group in groups}


def test_the_index_is_small():
    assert index_path().stat().st_size < 420_000
    assert len(parse_index(index_path().read_text(encoding="utf-8")).layouts) > 100


def test_recognition_does_not_need_torch():
    code = (
        "import sys; from advisor.loading.recognition import recognise_weights as r;"
        "assert not r({'fc.weight': (2, 2)}).found; print([m for m in ('torch', 'timm') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
