"""Orderings that were published or measured, on real networks and shipped profiles."""

from functools import cache

import pytest

from advisor.devices import load_device
from advisor.facts import model_facts
from advisor.prediction import explain_absence, predict, predict_gain
from advisor.schema import Metric, Plan
from advisor.techniques import preview_plan
from advisor.techniques.dynamic_int8.step import DynamicInt8
from advisor.techniques.half.step import Half
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.sparsify.step import Sparsify
from advisor.techniques.static_int8.step import StaticInt8

pytestmark = pytest.mark.real
U8 = StaticInt8(signedness="u8s8")


@cache
def network(name):
    timm = pytest.importorskip("timm")
    from advisor.profiling import profile_module

    return profile_module(timm.create_model(name).eval(), (1, 3, 224, 224), name=name, source=f"timm:{name}")


def latency_ratio(name, device, runtime, *steps, unit="cpu", threads=1):
    """Return compressed over original latency with its interval."""
    before, board = network(name), load_device(device)
    base, plan = (Plan(runtime=runtime, unit=unit, threads=threads, steps=s) for s in ((), steps))
    gain = predict_gain(plan, base, before, before, preview_plan(plan, before), board, {})[Metric.LATENCY]
    return 1 / gain.high, 1 / gain.mid, 1 / gain.low


@pytest.mark.parametrize(
    ("name", "step", "low", "high"),
    [
        ("resnet18", U8, 0.25, 0.5),
        ("resnet50", U8, 0.25, 0.5),
        ("mobilenetv2_100", U8, 0.4, 0.7),
        ("efficientnet_b0", U8, 0.9, 1.35),
        ("convnext_tiny", U8, 0.4, 0.7),
        ("vit_tiny_patch16_224", U8, 0.5, 0.9),
        ("vit_tiny_patch16_224", DynamicInt8(), 0.45, 0.65),
        ("deit_small_patch16_224", DynamicInt8(), 0.4, 0.6),
        ("resnet18", DynamicInt8(), 0.95, 1.05),
        ("resnet50", Sparsify(), 0.99, 1.01),
        ("resnet50", PruneChannels(ratio=0.3, round_to=8), 0.42, 0.6),
        ("mobilenetv2_100", PruneChannels(ratio=0.3, round_to=8), 0.45, 0.7),
    ],
    ids=lambda v: getattr(v, "label", None),
)
def test_onnxruntime_on_vnni_behaves_as_measured(name, step, low, high):
    assert low <= latency_ratio(name, "x86-avx512-vnni", "onnxruntime", step)[1] <= high


@pytest.mark.parametrize(
    ("name", "step", "low", "high"),
    [
        ("resnet18", U8, 0.28, 0.55),
        ("resnet50", U8, 0.28, 0.55),
        ("mobilenetv2_100", U8, 0.4, 0.8),
        ("efficientnet_b0", U8, 0.9, 1.5),
        ("deit_small_patch16_224", DynamicInt8(), 0.3, 0.6),
        ("resnet50", StaticInt8(signedness="s8s8"), 0.7, 1.4),
    ],
    ids=lambda v: getattr(v, "label", None),
)
def test_onnxruntime_on_amx_gains_what_was_measured_and_not_what_tiles_could(name, step, low, high):
    assert low <= latency_ratio(name, "x86-amx", "onnxruntime", step)[1] <= high


def test_dynamic_beats_static_for_transformers_in_onnxruntime():
    static, dynamic = (
        latency_ratio("deit_small_patch16_224", "x86-avx512-vnni", "onnxruntime", s)[1] for s in (U8, DynamicInt8())
    )
    assert dynamic < static


def test_unaligned_pruning_of_mobilenet_backfires():
    assert (
        latency_ratio("mobilenetv2_100", "x86-avx512-vnni", "onnxruntime", PruneChannels(ratio=0.3, round_to=1))[1]
        > 1.2
    )


def test_the_wrong_signedness_wastes_int8():
    right, wrong = (
        latency_ratio("resnet50", "x86-avx512-vnni", "onnxruntime", s)[1] for s in (U8, StaticInt8(signedness="s8s8"))
    )
    assert wrong > 1.8 * right


def test_half_precision_pays_on_the_jetson_nano():
    assert 1 / 2.1 <= latency_ratio("resnet50", "jetson-nano", "tensorrt", Half(), unit="gpu")[1] <= 1 / 1.3


@pytest.mark.parametrize(
    ("device", "runtime", "unit", "steps", "name", "published_ms"),
    [
        ("raspberry-pi-3b-plus", "ncnn", "cpu", (), "resnet50", 587),
        ("raspberry-pi-4b", "ncnn", "cpu", (), "mobilenetv2_100", 61.9),
        ("raspberry-pi-4b", "ncnn", "cpu", (StaticInt8(),), "resnet50", 197),
        ("raspberry-pi-5", "ncnn", "cpu", (), "mobilenetv2_100", 10.5),
        ("raspberry-pi-5", "ncnn", "cpu", (StaticInt8(),), "resnet50", 40.8),
        ("rk3588", "ncnn", "cpu", (), "resnet50", 53.8),
        ("rk3588", "rknn", "npu", (StaticInt8(),), "mobilenetv2_100", 2.2),
        ("stm32h747", "stm32cubeai", "mcu", (StaticInt8(),), "mobilenetv2_100", 1118),
        ("stm32n6", "stm32cubeai", "npu", (StaticInt8(),), "mobilenetv2_100", 20.4),
        ("coral-dev-board", "edgetpu", "npu", (StaticInt8(),), "mobilenetv2_100", 2.6),
        ("hailo-8", "hailort", "npu", (StaticInt8(),), "resnet50", 2.94),
        ("jetson-nano", "tensorrt", "gpu", (Half(),), "resnet50", 32),
    ],
)  # fmt: skip
def test_published_latencies_are_within_a_factor_of_three(device, runtime, unit, steps, name, published_ms):
    plan = Plan(runtime=runtime, unit=unit, steps=steps, threads=4 if unit == "cpu" else None)
    before = network(name)
    found = predict(plan, before, preview_plan(plan, before), load_device(device), {})
    assert published_ms / 3 < found[Metric.LATENCY].mid < published_ms * 3


def test_large_networks_do_not_fit_a_microcontroller():
    before, device = network("mobilenetv2_100"), load_device("stm32h747")
    plan = Plan(runtime="stm32cubeai", unit="mcu", steps=(StaticInt8(),))
    found = predict(plan, before, preview_plan(plan, before), device, {})
    # ST publishes 1757 KiB of activations for this network, the device has 1 MB of RAM.
    assert found[Metric.MEMORY].low < 1.8 < found[Metric.MEMORY].high
    assert device.memory.sram_kb is not None
    assert found[Metric.MEMORY].mid * 1e3 > device.memory.sram_kb.value


@pytest.mark.parametrize("name", ["resnet18", "efficientnet_b0", "vit_tiny_patch16_224"])
def test_every_profile_has_latency_or_a_reason(name):
    from advisor.devices import list_devices

    before = network(name)
    facts = model_facts(before)
    after = preview_plan(Plan(runtime="x", steps=(StaticInt8(),)), before)
    for device in list_devices():
        for path in device.paths:
            plan = Plan(
                runtime=path.runtime, unit=path.unit, steps=(StaticInt8(),) if "int8" in path.precisions else ()
            )
            found = predict(plan, before, after if plan.steps else before, device, facts)
            assert {Metric.SIZE, Metric.MEMORY, Metric.ACCURACY} <= set(found)
            if Metric.LATENCY not in found:
                assert explain_absence(Metric.LATENCY, plan, before, after, device, facts), f"{device.id} {path.label}"


@pytest.mark.parametrize("step", [U8, DynamicInt8(), Half()])
def test_energy_gains_what_time_gains_where_the_same_unit_works(step):
    """Whichever predictors of latency are the most confident for the two plans."""
    before, board = network("vit_tiny_patch16_224"), load_device("raspberry-pi-5")
    base, plan = (Plan(runtime="onnxruntime", unit="cpu", steps=s) for s in ((), (step,)))
    gains = predict_gain(plan, base, before, before, preview_plan(plan, before), board, {})
    assert gains[Metric.ENERGY].metric is Metric.ENERGY
    assert gains[Metric.ENERGY].mid == gains[Metric.LATENCY].mid
