"""Which figures answer for which runtime and unit, and that those for CPUs with AMX are what was measured there."""

import pytest

from advisor.devices import load_device
from advisor.prediction.efficiency import assumed_figures, entry_for, figures
from advisor.prediction.latency import timing
from advisor.prediction.query import Query
from advisor.prediction.unit_class import class_of
from advisor.schema import Basis, Plan
from advisor.techniques.half.preview import preview as preview_half
from advisor.techniques.half.step import Half
from advisor.techniques.static_int8.preview import preview as preview_static
from advisor.techniques.static_int8.step import StaticInt8

from .networks import pointwise

AMX, VNNI = load_device("azure-d64s-v6"), load_device("x86-avx512-vnni")


@pytest.mark.parametrize(
    ("runtime", "unit", "expected"),
    [
        ("onnxruntime", "x86-amx", "onnxruntime-x86-amx"),
        ("openvino", "x86-amx", "openvino-x86-amx"),
        ("ncnn", "x86-amx", "ncnn-x86-amx"),
        ("pytorch", "x86-amx", "pytorch-x86-amx"),
        ("tflite", "x86-amx", "cpu-x86-amx"),
        ("executorch", "x86-amx", "cpu-x86-amx"),
        ("onnxruntime", "x86-vnni", "onnxruntime-x86-vnni"),
        ("openvino", "x86-vnni", "openvino-x86"),
        ("ncnn", "x86-vnni", "ncnn-x86-vnni"),
        ("onnxruntime", "x86-avx2", "onnxruntime-x86"),
        ("tflite", "x86-avx2", "cpu"),
        ("tflite", "arm-v8-big", "tflite-arm"),
    ],
)
def test_the_entry_of_a_runtime_on_a_class_of_unit(runtime, unit, expected):
    assert entry_for(runtime, unit).id == expected


@pytest.mark.parametrize(
    ("entry", "modes"),
    [
        ("onnxruntime-x86-amx", ("fp32", "int8", "int8_dynamic", "int8_foreign")),
        ("openvino-x86-amx", ("fp32", "bf16", "int8")),
        ("ncnn-x86-amx", ("fp32", "int8")),
        ("pytorch-x86-amx", ("fp32",)),
    ],
)
def test_entries_for_amx_rest_on_measurements_there(entry, modes):
    found = next(e for e in figures().entries if e.id == entry)
    for name in modes:
        assert found.modes[name].basis is Basis.FITTED
        assert "OWN-amx" in found.modes[name].source


def test_the_own_source_is_described():
    assert "measured_x86_amx.csv" in assumed_figures().sources["OWN-amx"]


def gain(device, runtime, *steps):
    """Return by which factor one thread becomes faster on a wide 1x1 convolution than in fp32 of ONNX Runtime."""
    network = pointwise((512, 512), side=28)
    after = network
    for step in steps:
        after = (preview_half if isinstance(step, Half) else preview_static)(step, after)
    base = timing(Query(Plan(runtime="onnxruntime", unit="cpu", threads=1), network, network, device))
    plan = Plan(runtime=runtime, unit="cpu", threads=1, steps=steps)
    return base.total_ms / timing(Query(plan, network, after, device)).total_ms


@pytest.mark.parametrize(
    ("runtime", "step", "low", "high"),
    [
        ("onnxruntime", StaticInt8(signedness="u8s8"), 1.5, 8),
        ("onnxruntime", StaticInt8(signedness="s8s8"), 0.5, 3),
        ("openvino", StaticInt8(signedness="u8s8"), 3, 16),
        ("openvino", Half(dtype="bf16"), 2, 10),
        ("ncnn", StaticInt8(signedness="s8s8"), 0.6, 4),
        ("pytorch", StaticInt8(signedness="u8s8"), 0.2, 1.5),
        ("tflite", StaticInt8(), 1, 5),
    ],
    ids=lambda value: getattr(value, "signedness", getattr(value, "dtype", None)),
)
def test_no_runtime_comes_near_the_peak_of_the_tiles(runtime, step, low, high):
    peaks = AMX.path("onnxruntime", "cpu").peak_gmacs
    assert high < peaks["int8"].value / peaks["fp32"].value * 0.7
    assert low < gain(AMX, runtime, step) < high


def test_int8_in_onnxruntime_gains_what_vnni_lets_it_gain():
    step = StaticInt8(signedness="u8s8")
    assert gain(AMX, "onnxruntime", step) < 3 * gain(VNNI, "onnxruntime", step)


def test_profiles_with_tiles_are_of_the_class_and_no_others():
    assert class_of(AMX, "cpu") == class_of(load_device("x86-amx"), "cpu") == "x86-amx"
    assert class_of(VNNI, "cpu") == "x86-vnni"
