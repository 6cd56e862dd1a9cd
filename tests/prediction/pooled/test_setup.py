"""Setups from profiles: rates of the threads in use, and what stands in for figures nobody states."""

import pytest

from advisor.devices import load_device
from advisor.prediction.pooled.setup import Rates, Run, covariates, lent_class, rates_of, setup_of

PI = load_device("raspberry-pi-5")
USUAL = {"cpu": Rates(50.0, 10.0), "npu": Rates(1000.0, 20.0)}


@pytest.mark.parametrize(("threads", "share"), [(1, 0.25), (2, 0.5), (4, 1.0), (8, 1.0)])
def test_peaks_are_those_of_the_threads_in_use(threads, share):
    setup = setup_of(PI, Run("cpu", "ncnn", "fp32", threads=threads))
    assert setup.gmacs == pytest.approx(76.8 * share)
    assert setup.one == pytest.approx(76.8 / 4)
    assert setup.threads == threads


def test_a_runtime_without_a_stated_precision_computes_in_its_own_float():
    assert setup_of(PI, Run("cpu", "ncnn", "")).precision == "fp16"
    assert setup_of(PI, Run("cpu", "tflite", "")).precision == "fp32"


@pytest.mark.parametrize(("published", "era"), [("2020-01-01", 0), ("2022-05-01", 1), ("2024-01-01", 2), ("", 2)])
def test_the_era_of_a_runtime_is_todays_unless_a_date_tells(published, era):
    assert setup_of(PI, Run("cpu", "ncnn", "int8", published=published)).era == era


def test_unknown_rates_are_those_usual_for_the_class():
    device = load_device("sa7255p-adp")
    setup = setup_of(device, Run("npu", "qnn", "int8"))
    assert setup.gmacs is None
    assert setup.unit_class == "npu/qualcomm"
    assert rates_of(setup, USUAL) == Rates(2000.0, 20.0), "the usual step from fp16 to int8 is two"
    assert rates_of(setup, {**USUAL, "npu/qualcomm": Rates(7.0, 3.0)}) == Rates(14.0, 3.0)
    assert covariates(setup, USUAL)[-1] == 1.0, "that no peak is known is a covariate of its own"


def test_a_peak_of_another_precision_stands_in_by_the_usual_step():
    device = load_device("hailo-8")
    assert (
        setup_of(device, Run("npu", "hailort", "fp16")).gmacs
        == setup_of(device, Run("npu", "hailort", "int8")).gmacs / 2
    )


def test_a_runtime_known_from_two_other_boards_says_nothing_of_a_third():
    from advisor.prediction.pooled.answer import support_of
    from advisor.prediction.pooled.store import pooled

    model = pooled().units["cpu"]
    assert model.devices["onnxruntime|cpu|int8"] == 2
    assert support_of(model, setup_of(PI, Run("cpu", "onnxruntime", "int8")), "timm:resnet50@224x224") is None
    assert support_of(model, setup_of(load_device("qcs6490"), Run("cpu", "onnxruntime", "int8")), "") == "setup"
    assert support_of(model, setup_of(PI, Run("cpu", "coreml", "int8")), "timm:resnet50@224x224") is None
    assert support_of(model, setup_of(PI, Run("cpu", "ncnn", "int8", threads=4)), "timm:resnet50@224x224") == "own"
    assert support_of(model, setup_of(PI, Run("cpu", "ncnn", "int8", threads=4)), "timm:resnet26@224x224") == "setup"


def test_hundreds_of_networks_on_one_board_of_the_class_tell_of_another():
    from advisor.prediction.pooled.answer import support_of
    from advisor.prediction.pooled.store import pooled

    setup = setup_of(load_device("core-i7-12700h"), Run("cpu", "torch", "fp32"))
    model = pooled().units["cpu"]
    assert model.devices["torch|cpu|fp32"] < 4
    assert support_of(model, setup, "timm:resnet50@224x224") == "class siblings"


@pytest.mark.parametrize(
    ("device", "known_as", "lent"),
    [
        ("x86-amx", "x86-vnni", True),
        ("x86-avx512-vnni", "x86-vnni", False),
        ("raspberry-pi-5", "arm-dotprod-big", False),
    ],
)
def test_classes_that_the_evidence_does_not_tell_apart_are_lent_another_one(device, known_as, lent):
    found = load_device(device)
    assert setup_of(found, Run("cpu", "ncnn", "int8")).unit_class == known_as
    assert lent_class(found, "cpu") is lent
