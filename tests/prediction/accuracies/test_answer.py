"""Answers from published results: interval, risk, nearest cases, and doubt where nothing was published."""

import pytest

from advisor.prediction.accuracies.answer import Unanswerable, answer
from advisor.prediction.accuracies.case import TECHNIQUES, case_of

from .test_case import ROW


def reply(**cells):
    row = {**ROW, **cells}
    return answer(case_of(row), row["setting"])


@pytest.mark.parametrize("technique", [t for t in TECHNIQUES if t != "combo"])
@pytest.mark.parametrize("model", ["ResNet-50", "never_heard_of", "yolov8s"])
def test_every_technique_has_an_answer_on_every_network(technique, model):
    found = reply(technique=technique, model=model, setting="flops_ratio=0.6;sparsity=0.5")
    assert -76.1 <= found.low <= found.mid <= found.high <= 23.9
    assert 0 < found.over_5 <= found.over_1 < 1
    assert "published results of" in found.basis
    assert found.cases
    assert found.sources


def test_a_network_published_with_many_toolkits_is_named_with_their_range():
    found = reply(model="MobileNetV2", toolkit="tflite")
    assert found.cases[0].startswith("mobilenetv2_100, int8 PTQ, ")
    assert " toolkits: -" in found.cases[0]
    assert -2.5 < found.mid < -0.3


def test_fewer_bits_cost_more():
    mids = [reply(setting=f"bits_w={b};bits_a={b}").mid for b in (8, 4, 2)]
    assert mids == sorted(mids, reverse=True)


def test_pruning_costs_more_the_more_is_removed_and_most_without_training():
    trained = [reply(technique="prune_structured", setting=f"flops_ratio={k};finetuned=1").mid for k in (0.9, 0.6, 0.3)]
    raw = reply(technique="prune_structured", setting="flops_ratio=0.6;finetuned=0")
    assert trained == sorted(trained, reverse=True)
    assert raw.mid < trained[1] - 10
    assert raw.at_risk
    assert "plan with the low end" in raw.basis


def test_what_nobody_published_widens_and_says_so():
    near, far = (
        reply(technique="prune_structured", toolkit="", setting=f"flops_ratio={kept};finetuned=1")
        for kept in (0.5, 0.002)
    )
    assert "more is removed than anybody published" in far.basis
    assert far.high - far.low > near.high - near.low
    assert "nobody published" in reply(setting="bits_w=7;bits_a=3").basis


def test_the_steps_of_a_combination_add_up():
    parts = {"toolkit": "vitis-ai", "baseline": "76.1"}
    whole = reply(technique="combo", setting="combo=prune+ptq;flops_ratio=0.5;finetuned=1;bits_w=8;bits_a=8", **parts)
    pruned = reply(technique="prune_structured", setting="flops_ratio=0.5;finetuned=1", **parts)
    quantized = reply(setting="bits_w=8;bits_a=8", **parts)
    assert whole.mid == pytest.approx(pruned.mid + quantized.mid, abs=0.1)
    assert "errors are added" in whole.basis


def test_nothing_is_lost_beyond_the_baseline():
    found = reply(technique="prune_structured", setting="flops_ratio=0.05;finetuned=0", baseline="30")
    assert found.low >= -30


@pytest.mark.parametrize(("technique", "word"), [("magic", "unknown technique"), ("combo", "names its parts")])
def test_what_cannot_be_answered_says_why(technique, word):
    with pytest.raises(Unanswerable, match=word):
        reply(technique=technique)
