"""What the shipped rules on hardware and runtimes say about well-known pairs of device and plan."""

import pytest

from advisor.rules import evaluate, load_rules
from advisor.schema import Truth

BASE = load_rules()
RESNET = {
    "model.family": "residual_cnn", "model.act_fns": ["relu"], "model.has_se": False, "model.has_attention": False,
    "model.matmul_mac_share": 0.001, "model.conv_kxk_mac_share": 0.9, "model.conv1x1_mac_share": 0.08,
    "model.dw_mac_share": 0.0, "model.has_depthwise": False, "model.weight_bytes_int8": 11.8e6, "model.macs": 1.8e9,
    "model.in_res": 224,
}  # fmt: skip
EFFICIENTNET = RESNET | {
    "model.family": "depthwise_cnn", "model.act_fns": ["silu", "sigmoid"], "model.has_se": True,
    "model.conv_kxk_mac_share": 0.03, "model.conv1x1_mac_share": 0.8, "model.dw_mac_share": 0.1,
}  # fmt: skip
VIT = RESNET | {"model.family": "vit", "model.act_fns": ["gelu", "softmax"], "model.has_attention": True,
                "model.matmul_mac_share": 0.98}  # fmt: skip

NANO = {"rt.name": "tensorrt", "rt.unit": "gpu", "rt.precisions": ["fp32", "fp16"], "dev.cuda_cc": 5.3,
        "rt.fp16_mac_ratio": 2.0, "dev.vendor": "nvidia", "rt.integer_only": False}  # fmt: skip
ORIN = NANO | {"rt.precisions": ["fp32", "fp16", "int8"], "dev.cuda_cc": 8.7}
PI4 = {"rt.name": "ncnn", "rt.unit": "cpu", "rt.precisions": ["fp32", "int8"], "rt.default_float": "fp32",
       "dev.cpu_arch": "aarch64", "dev.isa": ["neon"], "rt.integer_only": False}  # fmt: skip
PI5_NCNN = PI4 | {"rt.precisions": ["fp32", "fp16", "int8"], "rt.default_float": "fp16",
                  "dev.isa": ["neon", "asimdhp", "dotprod"]}  # fmt: skip
PI5_ORT = PI5_NCNN | {"rt.name": "onnxruntime", "rt.precisions": ["fp32", "int8"], "rt.default_float": "fp32"}
XAVIER_CPU = PI5_NCNN | {"dev.isa": ["neon", "asimdhp"]}
VNNI = {"rt.name": "onnxruntime", "rt.unit": "cpu", "rt.precisions": ["fp32", "int8"], "rt.default_float": "fp32",
        "dev.cpu_arch": "x86_64", "dev.isa": ["sse2", "avx2", "avx512", "avx512_vnni"], "rt.integer_only": False,
        "rt.sparse_kernels": []}  # fmt: skip
AVX2 = VNNI | {"dev.isa": ["sse2", "avx2"]}
OPENVINO = VNNI | {"rt.name": "openvino"}
CORAL = {"rt.name": "edgetpu", "rt.unit": "npu", "rt.precisions": ["int8"], "rt.integer_only": True,
         "rt.weight_capacity": True, "dev.on_chip_bytes": 8e6, "rt.partitions": True}  # fmt: skip
ETHOS = CORAL | {"rt.name": "vela"}
HAILO = CORAL | {"rt.name": "hailort", "dev.id": "hailo-8l"}
STM32MP2 = {"rt.name": "openvx", "rt.unit": "npu", "rt.precisions": ["int8"], "rt.integer_only": True}
STM32H7 = {"dev.kind": "mcu", "dev.flash_bytes": 2_097_152, "dev.sram_bytes": 1_048_576, "rt.unit": "mcu",
           "rt.name": "tflite-micro", "rt.precisions": ["int8", "fp32"], "dev.os": False}  # fmt: skip

FLOAT = {"plan.precision": "fp32", "plan.full_int8": False, "plan.techniques": [], "plan.steps_n": 0,
         "plan.sparsity_pattern": "none", "plan.bits_w": 32}  # fmt: skip
HALF = FLOAT | {"plan.precision": "fp16", "plan.techniques": ["half"], "plan.steps_n": 1}
STATIC = FLOAT | {"plan.precision": "int8", "plan.full_int8": True, "plan.techniques": ["static_int8"],
                  "plan.steps_n": 1, "plan.signedness": "s8s8", "plan.weight_gran": "per_channel", "plan.bits_w": 8,
                  "plan.reduce_range": False}  # fmt: skip
U8S8 = STATIC | {"plan.signedness": "u8s8"}
DYNAMIC = FLOAT | {"plan.precision": "int8-dynamic", "plan.techniques": ["dynamic_int8"], "plan.steps_n": 1}
WEIGHTS = FLOAT | {"plan.precision": "w8", "plan.techniques": ["weight_only"], "plan.steps_n": 1}
ZEROS = FLOAT | {"plan.techniques": ["sparsify"], "plan.sparsity_pattern": "unstructured", "plan.sparsity": 0.8}
ZEROS24 = ZEROS | {"plan.sparsity_pattern": "2:4"}
PRUNED = FLOAT | {"plan.techniques": ["prune_channels"], "plan.structured": True, "plan.round_to": 1}


def ask(*parts, goal="latency"):
    facts = {"user.goal": goal, "user.batch": 1}
    for part in parts:
        facts |= part
    return {finding.rule: finding for finding in evaluate(BASE, facts, "candidate")}


@pytest.mark.parametrize(
    ("path", "plan", "rule"),
    [
        (NANO, STATIC, "HW-05a"),
        (NANO, DYNAMIC, "HW-05a"),
        (NANO, STATIC, "HW-02a"),
        (ORIN, DYNAMIC, "HW-33"),
        (PI4, HALF, "HW-02d"),
        (XAVIER_CPU, STATIC, "HW-24a"),
        (PI4 | {"dev.cpu_arch": "riscv64"}, STATIC, "HW-24b"),
        (VNNI, STATIC, "HW-04a"),
        (AVX2, U8S8, "HW-04b"),
        (VNNI, ZEROS, "HW-17a"),
        (VNNI, ZEROS24, "HW-17a"),
        (VNNI | EFFICIENTNET, U8S8, "RT-16"),
        (CORAL, FLOAT, "HW-07a"),
        (CORAL, HALF, "HW-07a"),
        (CORAL, WEIGHTS, "HW-07a"),
        (ETHOS, DYNAMIC, "HW-09a"),
        (HAILO, HALF, "HW-25"),
        (CORAL | {"rt.unsupported_mac_share": 0.7}, STATIC, "HW-13c"),
        (STM32MP2, STATIC, "HW-27b"),
        (STM32MP2 | {"rt.weight_gran": ["per_tensor"]}, STATIC, "HW-27a"),
        (STM32H7, STATIC | {"plan.flash_bytes": 3.5e6}, "MC-01a"),
        (STM32H7, STATIC | {"plan.arena_bytes": 1_100_000}, "MC-01c"),
        (STM32H7 | {"rt.name": "pytorch"}, FLOAT, "RT-14a"),
    ],
)
def test_a_plan_that_cannot_work_is_rejected(path, plan, rule):
    assert ask(RESNET, path, plan)[rule].rejects


@pytest.mark.parametrize(
    ("path", "plan", "kind", "rule"),
    [
        (NANO, HALF, "prefer", "HW-05b"),
        (ORIN, STATIC, "prefer", "HW-05c"),
        (PI4, STATIC, "prefer", "HW-03c"),
        (PI5_ORT, STATIC, "prefer", "HW-03b"),
        (PI5_NCNN, STATIC, "avoid", "HW-23a"),
        (VNNI, U8S8, "prefer", "HW-03a"),
        (OPENVINO | EFFICIENTNET, U8S8, "prefer", "RT-20"),
        (VNNI | VIT, DYNAMIC, "prefer", "RT-17a"),
        (VNNI | VIT, U8S8, "avoid", "RT-17b"),
        (VNNI, DYNAMIC, "avoid", "RT-18a"),
        (VNNI | EFFICIENTNET, U8S8, "avoid", "RT-15"),
        (VNNI, PRUNED, "avoid", "RT-19a"),
        (CORAL, STATIC | {"plan.weight_bytes": 11.8e6}, "avoid", "HW-08a"),
        (HAILO, STATIC | {"plan.weight_bytes": 11.8e6}, "avoid", "HW-08b"),
        (CORAL, STATIC | {"plan.weight_bytes": 6e6}, "prefer", "HW-08d"),
        (STM32H7, STATIC, "prefer", "HW-11c"),
        (STM32H7, FLOAT, "avoid", "HW-11b"),
        (VNNI | {"rt.name": "pytorch", "dev.os": True}, FLOAT, "avoid", "RT-14b"),
    ],
)
def test_what_speaks_for_and_against_a_plan(path, plan, kind, rule):
    finding = ask(RESNET, path, plan)[rule]
    assert (finding.kind, finding.truth) == (kind, Truth.TRUE)
    assert finding.weight > 0


@pytest.mark.parametrize(
    ("path", "plan"),
    [
        (NANO, HALF),
        (ORIN, STATIC),
        (PI4, STATIC),
        (PI5_NCNN, HALF),
        (PI5_ORT, STATIC),
        (VNNI, U8S8),
        (AVX2, U8S8 | {"plan.reduce_range": True}),
        (VNNI | VIT, DYNAMIC),
        (OPENVINO | VIT, U8S8),
        (CORAL, STATIC | {"plan.weight_bytes": 3e6}),
        (STM32MP2, STATIC | {"plan.weight_gran": "per_tensor"}),
        (STM32H7, STATIC | {"plan.weight_bytes": 300_000, "plan.peak_act_bytes": 200_000}),
    ],
)
def test_the_usual_plan_of_a_device_is_rejected_by_no_rule_on_hardware_or_runtimes(path, plan):
    rejected = {rule for rule, finding in ask(RESNET, path, plan).items() if finding.rejects}
    assert not {rule for rule in rejected if rule[:2] in ("HW", "RT", "MC")}


@pytest.mark.parametrize(("model", "exception"), [(EFFICIENTNET, "RT-15"), (VIT, "RT-17b")])
def test_the_general_preference_for_int8_is_set_aside_where_measurements_speak_against_it(model, exception):
    finding = ask(RESNET, VNNI, model, U8S8, goal="balanced")["HW-03a"]
    assert finding.weight == 0
    assert exception in finding.reason


def test_the_neural_engine_is_an_exception_for_zeros():
    ane = {"rt.name": "coreml", "rt.unit": "npu", "rt.sparse_kernels": [], "model.is_compact": False}
    found = ask(RESNET, ane, ZEROS)
    assert not found["HW-17a"].rejects
    assert found["HW-18a"].truth is Truth.TRUE
    assert ask(RESNET, ane | {"model.is_compact": True}, ZEROS)["HW-17a"].rejects


@pytest.mark.parametrize("flash", [1_000_000, 2_000_000, 4_000_000, 8_000_000])
def test_more_flash_never_makes_a_plan_infeasible(flash):
    plan = STATIC | {"plan.flash_bytes": 1_500_000}
    small = ask(RESNET, STM32H7 | {"dev.flash_bytes": flash}, plan)["MC-01a"].rejects
    large = ask(RESNET, STM32H7 | {"dev.flash_bytes": 2 * flash}, plan)["MC-01a"].rejects
    assert small or not large


def test_missing_facts_reject_nothing():
    assert not [f for f in evaluate(BASE, {}, "candidate") if f.rejects]
    assert not [f for f in evaluate(BASE, {}, "case") if f.rejects]
