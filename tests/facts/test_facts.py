from functools import cache

import pytest

from advisor.devices import list_devices, load_device
from advisor.facts import (
    PlanContext,
    bound_facts,
    device_facts,
    goal_facts,
    memory_facts,
    model_facts,
    path_facts,
    plan_facts,
    plan_precision,
    probe_facts,
)
from advisor.rules import load_vocabulary
from advisor.schema import (
    Basis,
    DataFacts,
    Estimate,
    Goal,
    Limit,
    Metric,
    Op,
    OpKind,
    Plan,
    ProbeRecord,
    Tensor,
    Weight,
    Workload,
)
from advisor.techniques.distil.step import Distil
from advisor.techniques.dynamic_int8.step import DynamicInt8
from advisor.techniques.half.step import Half
from advisor.techniques.prune_blocks.step import PruneBlocks
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.qat.step import QAT
from advisor.techniques.sparsify.step import Sparsify
from advisor.techniques.static_int8.step import StaticInt8
from advisor.techniques.weight_only.step import WeightOnly

PER_CASE = ("model.", "dev.", "data.", "user.")


def small(gate: str = "sigmoid") -> Workload:
    """conv 3->8 (with batch norm) -> gate branch on the pooled map -> product -> linear 8->4."""
    shapes = {
        0: (1, 3, 8, 8),
        1: (1, 8, 8, 8),
        2: (1, 8, 8, 8),
        3: (1, 8, 1, 1),
        4: (1, 8, 1, 1),
        5: (1, 8, 8, 8),
        6: (1, 8),
        7: (1, 4),
    }
    conv = {"in_channels": 3, "out_channels": 8, "kernel": (3, 3), "stride": (1, 1), "dilation": (1, 1), "groups": 1}
    ops = (
        Op(index=0, kind=OpKind.CONV, name="conv", inputs=(0,), outputs=(1,), weights=("c",), macs=13824, attrs=conv),
        Op(index=1, kind=OpKind.NORM_BATCH, name="bn", inputs=(1,), outputs=(2,)),
        Op(index=2, kind=OpKind.POOL, name="mean", inputs=(2,), outputs=(3,)),
        Op(index=3, kind=OpKind.ACTIVATION, name=gate, inputs=(3,), outputs=(4,), attrs={"function": gate}),
        Op(index=4, kind=OpKind.ELEMENTWISE, name="mul", inputs=(2, 4), outputs=(5,), attrs={"function": "mul"}),
        Op(index=5, kind=OpKind.REDUCE, name="mean", inputs=(5,), outputs=(6,)),
        Op(index=6, kind=OpKind.LINEAR, name="fc", inputs=(6,), outputs=(7,), weights=("f",), macs=32,
           attrs={"in_features": 8, "out_features": 4}),
    )  # fmt: skip
    return Workload(
        name="small", inputs=(0,), outputs=(7,), ops=ops,
        tensors=tuple(Tensor(id=i, shape=s) for i, s in shapes.items()),
        weights=(Weight(name="c", shape=(8, 3, 3, 3), role="weight"), Weight(name="f", shape=(4, 8), role="weight")),
    )  # fmt: skip


@cache
def profiled(name: str) -> Workload:
    from advisor import profile

    return profile(f"timm:{name}")


def test_shares_of_a_hand_computed_net():
    facts = model_facts(small())
    assert facts["model.macs"] == 13824 + 32
    assert facts["model.conv_kxk_mac_share"] == pytest.approx(13824 / 13856)
    assert facts["model.fc_param_share"] == pytest.approx(32 / 248)
    assert facts["model.classes"] == 4
    assert facts["model.in_res"] == 8
    assert facts["model.bn_foldable"] is True
    assert facts["model.channels_aligned_8"] == pytest.approx(13824 / 13856)  # the classifier has 4 outputs


@pytest.mark.parametrize(("gate", "expected"), [("sigmoid", True), ("hardsigmoid", True), ("relu", False)])
def test_a_channel_gate_is_squeeze_and_excitation(gate, expected):
    assert model_facts(small(gate))["model.has_se"] is expected


def test_int8_activations_take_a_quarter_of_the_memory():
    facts = model_facts(small())
    assert facts["model.peak_act_bytes"] == 4 * facts["model.peak_act_bytes_int8"]


STEPS = {
    "fp32": (), "fp16": (Half(),), "bf16": (Half(dtype="bf16"),), "int8": (StaticInt8(),),
    "int8-dynamic": (DynamicInt8(),), "w8": (WeightOnly(),), "w4": (WeightOnly(bits=4, group_size=32),),
}  # fmt: skip


@pytest.mark.parametrize("precision", STEPS)
def test_the_precision_of_a_plan_is_that_of_its_last_quantizer(precision):
    assert plan_precision(Plan(steps=(PruneChannels(ratio=0.3), *STEPS[precision]), runtime="onnxruntime")) == precision


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ((), {"plan.steps_n": 0, "plan.last": "", "plan.quantized": False, "plan.structured": False}),
        ((StaticInt8(weights="per_tensor"),), {"plan.weight_gran": "per_tensor", "plan.full_int8": True}),
        ((WeightOnly(bits=4, group_size=32),), {"plan.weight_gran": "group", "plan.bits_w": 4, "plan.bits_a": 32}),
        ((Sparsify(pattern="2:4", sparsity=0.5),), {"plan.sparsity_pattern": "2:4", "plan.sparsity": 0.5}),
        ((PruneChannels(ratio=0.3, epochs=5), QAT(epochs=7)), {"plan.epochs": 12, "plan.channel_ratio": 0.3}),
        ((PruneChannels(ratio=0.36, target="macs"),), {"plan.channel_ratio": pytest.approx(0.2)}),
        ((PruneBlocks(ratio=0.25),), {"plan.structured": True, "plan.channel_ratio": 0.0}),
        ((PruneChannels(ratio=0.3, criterion="taylor"),), {"plan.criterion": "taylor"}),
        ((StaticInt8(),), {"plan.criterion": "none"}),
        ((QAT(), PruneChannels(ratio=0.3)), {"plan.changes_graph_after_quantization": True}),
        ((PruneChannels(ratio=0.3), QAT()), {"plan.changes_graph_after_quantization": False}),
    ],
)  # fmt: skip
def test_facts_of_plans(steps, expected):
    facts = plan_facts(PlanContext(Plan(steps=steps, runtime="onnxruntime"), small(), small(), 10, 10, "none", 0.0))
    assert {name: facts[name] for name in expected} == expected


def test_a_students_size_is_told_as_a_ratio():
    student = small().model_copy(update={"weights": small().weights[:1]})
    plan = Plan(steps=(Distil(student="timm:x"),), runtime="onnxruntime")
    facts = plan_facts(PlanContext(plan, small(), student, 10, 10, "train", 1.0))
    assert facts["plan.student_params_ratio"] == pytest.approx(248 / 216)


def test_without_a_data_folder_the_counts_are_unknown_unless_nothing_is_to_be_run():
    assert "data.images_n" not in goal_facts(Goal())
    assert goal_facts(Goal(budget="none"))["data.calib_n"] == 0
    told = goal_facts(Goal(data=DataFacts(images=10, labelled=8, calibration=2, train=4, test=2, classes=2)))
    assert (told["data.calib_n"], told["data.test_n"], told["data.classes_n"]) == (2, 2, 2)


def test_limits_become_facts():
    facts = goal_facts(
        Goal(limits=(Limit(metric=Metric.ACCURACY, bound=1.0), Limit(metric=Metric.LATENCY, bound=33.0)))
    )
    assert (facts["user.max_drop_pp"], facts["user.latency_ms"]) == (1.0, 33.0)
    assert "user.size_mb" not in facts


@pytest.mark.parametrize("device", list_devices(), ids=lambda d: d.id)
def test_every_fact_of_every_profile_fits_the_vocabulary(device):
    vocabulary = load_vocabulary()
    assert vocabulary.complaints(device_facts(device)) == ()
    for path in device.paths:
        assert vocabulary.complaints(path_facts(small(), path) | bound_facts(small(), device, path)) == ()


def test_the_facts_that_experts_know():
    nano, pi5, coral = (
        device_facts(load_device(n)) for n in ("jetson-nano", "raspberry-pi-5", "coral-usb-accelerator")
    )
    assert nano["dev.cuda_cc"] == 5.3
    assert {"dotprod", "asimdhp"} <= pi5["dev.isa"]
    assert coral["dev.has_npu"] is True


MODELS = {
    "resnet18": ("residual_cnn", "none", False),
    "mobilenetv2_100": ("depthwise_cnn", "none", True),
    "mobilenetv3_large_100": ("depthwise_cnn", "none", True),
    "efficientnet_b0": ("depthwise_cnn", "none", True),
    "regnety_008": ("residual_cnn", "none", False),
    "convnext_tiny": ("residual_cnn", "none", False),
    "vit_tiny_patch16_224": ("vit", "none", False),
    "swin_tiny_patch4_window7_224": ("hierarchical_vit", "none", False),
    "repvgg_a0": ("residual_cnn", "training", False),  # its branches are still apart
    "densenet121": ("dense_cnn", "none", False),
}


@pytest.mark.real
@pytest.mark.parametrize("name", MODELS)
def test_facts_of_real_networks(name):
    facts = model_facts(profiled(name), random_weights=True)
    assert load_vocabulary().complaints(facts) == ()
    assert (facts["model.family"], facts["model.reparam_state"], facts["model.is_compact"]) == MODELS[name]
    assert facts["model.unknown_ops_n"] == 0


@pytest.mark.real
@pytest.mark.parametrize(("name", "classic"), [("resnet50", True), ("convnext_tiny", False), ("resnet18", False)])
def test_only_wide_classic_nets_count_as_overparameterised(name, classic):
    assert model_facts(profiled(name))["model.overparameterised"] is classic


def needed(megabytes: float) -> dict[Metric, Estimate]:
    figures = {"low": megabytes, "mid": megabytes, "high": megabytes, "basis": Basis.EXACT, "predictor": "x"}
    return {metric: Estimate(metric=metric, **figures) for metric in (Metric.MEMORY, Metric.FLASH)}


def test_ram_and_flash_are_facts_of_plans_on_firmware_and_the_process_elsewhere():
    facts = memory_facts(load_device("stm32h747"), needed(0.5))
    assert facts == {"plan.arena_bytes": 5e5, "plan.flash_bytes": 5e5}
    assert memory_facts(load_device("raspberry-pi-4b"), needed(0.5)) == {"plan.process_low_bytes": 5e5}


@pytest.mark.real
def test_every_derived_fact_of_the_vocabulary_is_produced_by_some_case():
    produced = set(model_facts(profiled("mobilenetv2_100"), random_weights=True))
    produced |= set(model_facts(profiled("densenet121"), random_weights=True))
    limits = tuple(Limit(metric=m, bound=1.0) for m in Metric)
    produced |= set(goal_facts(Goal(limits=limits, data=DataFacts(images=1, labelled=1, classes=1))))
    for device in list_devices():
        produced |= set(device_facts(device))
        produced |= {fact for path in device.paths for fact in path_facts(small(), path)}
        produced |= {fact for path in device.paths for fact in bound_facts(small(), device, path)}
    every = (Distil(student="timm:x"), PruneChannels(ratio=0.5), StaticInt8(), Sparsify())
    from advisor.techniques.low_rank.step import LowRank

    for steps in ((step,) for step in (*every, LowRank())):
        plan = Plan(steps=steps, runtime="x")
        produced |= set(plan_facts(PlanContext(plan, small(), small(), 1, 1, "none", 0.0, 1.0)))
    for name in ("stm32h747", "raspberry-pi-4b"):
        produced |= set(memory_facts(load_device(name), needed(0.5)))
    produced |= set(probe_facts(ProbeRecord(budget_s=1.0)))
    derived = {name for name, spec in load_vocabulary().items() if spec.origin == "derived"}
    assert derived - produced == set()
