"""Which measurements are put together, and the facts that go with them."""

from dataclasses import replace

import pytest

from advisor.learning.accuracies import Compared
from advisor.learning.agreement import accuracy, latency
from advisor.learning.agreement.accuracy import accuracy_pairs
from advisor.learning.agreement.latency import latency_pairs
from advisor.learning.agreement.own import own_measurements
from advisor.learning.agreement.pair import ACCURACY, SIZE
from advisor.learning.agreement.settings import Convention, load_settings
from advisor.prediction.pooled.evidence import Measured
from advisor.rules import load_vocabulary

ROW = Measured(
    source="ncnn-benchmark", device="raspberry-pi-4b", device_name="Pi", profile="raspberry-pi-4b", unit="cpu",
    threads="4", runtime="ncnn", precision="fp32", batch="1", input="1x3x224x224", network="timm:resnet18",
    metric="latency", published="2024-01-01", ms="100", macs_g="", params_m="",
)  # fmt: skip
CASE = Compared(
    source="torchvision-quantized", network="timm:resnet18", task="classification", dataset="ImageNet-1k",
    metric="top1", toolkit="torchvision", technique="ptq_static", setting="bits_w=8;bits_a=8;backend=fbgemm",
    runtime="", device="", baseline="69.8", compressed="69.5", delta="-0.3",
)  # fmt: skip


@pytest.fixture
def pairs_of(monkeypatch):
    def build(*rows):
        monkeypatch.setattr(latency, "read_evidence", lambda: list(rows))
        monkeypatch.setattr(latency, "own_measurements", list)
        return list(latency_pairs(load_settings()))

    return build


@pytest.fixture
def compared_of(monkeypatch):
    def build(*rows):
        monkeypatch.setattr(accuracy, "read_accuracies", lambda: list(rows))
        return list(accuracy_pairs(load_settings()))

    return build


def int8(**changes: str) -> Measured:
    return replace(ROW, precision="int8", ms="50", **changes)


def test_two_precisions_of_one_setup_are_a_pair_with_the_facts_of_device_network_and_plan(pairs_of):
    (found,) = pairs_of(ROW, int8())
    assert (found.observed, found.model, found.device) == (2.0, "timm:resnet18", "raspberry-pi-4b")
    expected = {
        "plan.full_int8": True, "plan.precision": "int8", "rt.name": "ncnn", "rt.default_float": "fp32",
        "dev.cpu_arch": "aarch64", "model.has_depthwise": False, "plan.macs_ratio": 1.0,
    }  # fmt: skip
    assert {name: found.facts[name] for name in expected} == expected
    assert not {"plan.weight_gran", "plan.calibration_images", "plan.weight_bytes"} & set(found.facts)


@pytest.mark.parametrize("field", ["threads", "device", "input", "published", "source", "network", "metric", "batch"])
def test_whatever_else_differs_makes_no_pair(pairs_of, field):
    assert not pairs_of(ROW, int8(**{field: "throughput" if field == "metric" else "2"}))


def test_the_float_that_was_measured_is_the_baseline(pairs_of):
    found = pairs_of(replace(ROW, precision="fp16", ms="60"), ROW, int8())
    gains = {(p.facts["rt.default_float"], p.facts["plan.precision"]): p.observed for p in found}
    assert gains == {("fp32", "int8"): 2.0, ("fp16", "int8"): 1.2, ("fp32", "fp16"): pytest.approx(100 / 60)}


def test_repeated_rows_are_compared_in_their_order(pairs_of):
    found = pairs_of(ROW, replace(ROW, ms="200"), int8(), replace(int8(), ms="400"))
    assert [pair.observed for pair in found] == [2.0, 0.5]


@pytest.mark.parametrize(("newer", "kept"), [((), ["2020-01-01"]), (("2024-01-01",), ["2024-01-01"])])
def test_rewritten_kernels_count_only_where_nobody_measured_again(pairs_of, newer, kept):
    dates = ("2020-01-01", *newer)
    found = pairs_of(*(replace(row, published=day) for day in dates for row in (ROW, int8())))
    assert len(found) == len(kept)


def test_units_are_compared_at_their_best(pairs_of):
    slow, gpu = replace(ROW, threads="1", ms="300"), replace(ROW, unit="gpu", precision="fp16", ms="1000")
    (found,) = pairs_of(ROW, slow, gpu)
    assert (found.changed, found.observed, found.facts["rt.unit"]) == ("unit", 0.1, "gpu")
    assert found.facts["plan.steps_n"] == 0


def test_a_device_that_only_its_name_describes_tells_cores_and_nothing_else(pairs_of):
    named = {"device": "nobody", "profile": "", "device_name": "Nobody (Cortex-A53 1.5GHz x 4)"}
    (found,) = pairs_of(replace(ROW, **named), int8(**named))
    assert {name for name in found.facts if name.startswith("dev.")} <= {"dev.cpu_arch", "dev.isa", "dev.cores"}


@pytest.mark.parametrize(
    ("cells", "facts"),
    [
        ({}, {"plan.full_int8": True, "plan.weight_gran": "per_channel", "model.in_res": 224}),
        ({"setting": "bits_w=8;bits_a=8;backend=qnnpack"}, {"plan.weight_gran": "per_tensor"}),
        ({"setting": "bits_w=4;bits_a=8;backend=fbgemm"}, {"plan.bits_w": 4, "plan.full_int8": False}),
        ({"technique": "qat", "setting": "bits_w=8;bits_a=8"}, {"plan.techniques": frozenset({"qat"})}),
        (
            {"technique": "prune_structured", "setting": "flops_ratio=0.5;finetuned=1"},
            {"plan.structured": True, "plan.macs_ratio": 0.5, "plan.epochs": 1},
        ),
        ({"technique": "prune_structured", "setting": "params_ratio=0.9;finetuned=0"}, {"plan.epochs": 0}),
        ({"technique": "prune_unstructured", "setting": "sparsity=0.8;finetuned=1"}, {"plan.sparsity": 0.8}),
        ({"technique": "prune_nm", "setting": "n=2;m=4;finetuned=1"}, {"plan.sparsity_pattern": "2:4"}),
        ({"technique": "low_rank", "setting": "flops_ratio=0.6;finetuned=0"}, {"plan.macs_ratio": 0.6}),
        ({"network": "yolov8n", "task": "detection"}, {"model.family": "detector", "model.head_type": "dfl"}),
        ({"network": "repvgg_a0"}, {"model.reparam_state": "deployed"}),
        ({"dataset": "CIFAR-10"}, {"model.in_res": 32}),
    ],
)
def test_a_comparison_brings_the_facts_that_it_states(compared_of, cells, facts):
    (found,) = compared_of(replace(CASE, **cells))
    assert (found.metric, found.observed) == (ACCURACY, -0.3)
    assert {name: found.facts.get(name) for name in facts} == facts


@pytest.mark.parametrize(
    "cells",
    [
        {"metric": "PSNR"},
        {"technique": "distill"},
        {"source": "dfq-repro"},
        {"source": "brevitas", "setting": "bits_w=8;bits_a=8;gptq=0;act_percentile=99.9"},
        {"setting": "bits_w=mixed;bits_a=8;backend=fbgemm"},
        {"technique": "prune_structured", "setting": "flops_ratio=0.5;finetuned=joint"},
    ],
)
def test_what_is_no_honest_prior_is_left_out(compared_of, cells):
    assert not compared_of(replace(CASE, **cells))


def test_file_sizes_are_pairs_of_their_own(compared_of):
    setting = "bits_w=8;bits_a=8;size_mb_fp32=98;size_mb_int8=24.5"
    found = compared_of(replace(CASE, source="paddleslim", setting=setting))
    assert {pair.metric: pair.observed for pair in found} == {ACCURACY: -0.3, SIZE: 4.0}


def test_own_measurements_are_gains_over_the_float_run_of_the_same_runtime():
    found = {(own.network, own.runtime, own.form, own.source): own for own in own_measurements()}
    assert found["timm:resnet18", "onnxruntime", "u8s8", "PEERS-b1"].ratio == pytest.approx(0.35)
    assert found["timm:resnet18", "openvino", "int8", "PEERS-b1"].ratio == pytest.approx(0.31 / 1.06)


def test_the_shipped_pairs_speak_the_vocabulary(shipped_pairs):
    words = load_vocabulary()
    assert len(shipped_pairs) > 4000
    wrong = {text for pair in shipped_pairs[::7] for text in words.complaints(pair.facts)}
    assert not wrong


@pytest.mark.parametrize(
    ("setting", "kept"),
    [("clip=none", True), ("", True), ("clip=avg", False)],
)
def test_a_setting_that_a_row_does_not_name_excludes_nothing(setting, kept):
    assert Convention(only={"clip": ("none",)}).keeps(replace(CASE, setting=setting)) is kept
