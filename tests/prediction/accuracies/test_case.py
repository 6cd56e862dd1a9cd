"""What a row asks: names, settings and amounts under all the spellings that sources have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.prediction.accuracies.case import case_of, components
from advisor.prediction.accuracies.lineage import lineage

ROW = {
    "model": "ResNet-50", "task": "classification", "dataset": "ImageNet-1k", "metric": "top1",
    "toolkit": "kit 2.0 (onnx)", "technique": "ptq_static", "setting": "bits_w=8;bits_a=8", "baseline": "76.1",
}  # fmt: skip


def case(**cells):
    return case_of({**ROW, **cells})


@pytest.mark.parametrize(
    ("spelling", "body"),
    [
        ("timm:resnet50", "resnet50"), ("ResNet-50 (v1)", "resnet50"), ("resnet_v1_50_slim", "resnet50"),
        ("resnetv1_50_pruned_0.65", "resnet50"), ("resnet_v1.5_mlperf", "resnet50"), ("resnetv2_101", "resnetv2_101"),
        ("mobilenet_v1_0.25_tfs", "mobilenetv1_025"), ("timm:mobilenetv2_035", "mobilenetv2_035"),
        ("s_mobilenet_v2", "mobilenetv2_100"), ("mobilenetv2b_a050_pt_224", "mobilenetv2_050"),
        ("inceptionv1", "googlenet"), ("resnet50.a1_in1k", "resnet50"),
    ],
)  # fmt: skip
def test_spellings_of_one_network_meet(spelling, body):
    assert lineage(spelling).body == body


@pytest.mark.parametrize(
    ("name", "family", "kind", "head"),
    [
        ("timm:mobilenetv3_small_100", "MobileNet v3", "depthwise", ""),
        ("yolov8s", "", "yolo", "YOLO with distributions"),
        ("yolov5m_6.1", "", "yolo", "YOLOv5/7"),
        ("ssd_mobilenet_v2", "MobileNet v2", "depthwise", "SSD"),
        ("timm:swin_tiny_patch4_window7_224", "Swin", "hierarchical transformer", ""),
        ("my_own_net", "", "", ""),
    ],
)
def test_a_name_tells_what_it_can(name, family, kind, head):
    found = lineage(name)
    assert (found.family, found.kind, found.head) == (family, kind, head)


@pytest.mark.parametrize(
    ("technique", "setting", "kept"),
    [
        ("prune_structured", "flops_ratio=0.5;finetuned=1", 0.5), ("prune_structured", "flops_pruned=30%", 0.7),
        ("prune_structured", "macs_removed=0.25", 0.75), ("prune_structured", "ratio=0.4", 0.6),
        ("prune_structured", "width=0.5", 0.25), ("low_rank", "flops_ratio=55", 0.55), ("low_rank", "rank=VBMF", 0.0),
    ],
)  # fmt: skip
def test_what_is_kept_is_read_under_its_names(technique, setting, kept):
    assert case(technique=technique, setting=setting).kept == pytest.approx(kept)


@pytest.mark.parametrize(
    ("setting", "field", "value"),
    [
        ("per_channel=0", "granularity", "tensor"), ("granularity=per-channel", "granularity", "channel"),
        ("scale=po2", "power_of_two", True), ("bits_w=4;bits_a=8", "bits", "w4a8"), ("", "bits", "w8a8"),
        ("finetuned=0", "trained", "0"), ("epochs=0", "trained", "0"), ("finetuned=joint", "trained", "joint"),
        ("precision=w8a16", "bits", "w8a16"), ("act_percentile=99.999", "setting", "act_percentile=99.999"),
    ],
)  # fmt: skip
def test_settings_are_read(setting, field, value):
    assert getattr(case(setting=setting), field) == value


def test_a_toolkit_loses_its_version_and_keeps_its_framework_apart():
    asked = case()
    assert (asked.toolkit, asked.flavour) == ("kit", "kit onnx")


@pytest.mark.parametrize(
    ("setting", "steps"),
    [
        ("combo=prune+ptq;flops_ratio=0.5", ["prune_structured", "ptq_static"]),
        ("qat+distill", ["qat", "distill"]),
        ("combo=prune+weight_clustering+huffman", ["prune_structured", "weight_only"]),
        ("bits_w=8", []),
    ],
)
def test_a_combination_has_parts(setting, steps):
    asked = case(technique="combo", setting=setting)
    found = components(asked, setting)
    assert [one.technique for one in found] == steps
    assert all(one.bits == "w8a8" for one in found if one.technique in ("ptq_static", "qat"))


@given(st.text(max_size=40), st.text(max_size=60))
def test_no_text_breaks_the_reading(model, setting):
    assert case(model=model or "x", setting=setting).cut >= 0
