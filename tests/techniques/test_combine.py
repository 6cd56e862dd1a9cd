"""Which plans are made, in which order."""

import pytest

from advisor.devices import load_device
from advisor.errors import GoalError
from advisor.schema import Device, ExecPath, Restrictions
from advisor.techniques import load_techniques, plan_effort, plan_needs, preview_plan
from advisor.techniques.combine import candidates
from advisor.techniques.registry import get

from .builder import NETS, Net, case, inverted, plain, transformer
from .builder import path as on_path

DEVICES = ["raspberry-pi-4b", "jetson-agx-orin-64gb", "coral-usb-accelerator", "hailo-8"]


def wide():
    net = Net(1, 3, 224, 224)
    x = net.block(0, "stem", 64, stride=2)
    for i in range(4):
        x = net.block(x, f"b{i}", 256, stride=2)
    net.linear(net.mean(x), "fc", 1000)
    return net.done()


@pytest.mark.parametrize("device", DEVICES)
def test_plan_0_changes_nothing_and_plan_1_the_runtime_only(device):
    plans = candidates(case(plain(), device))
    assert plans[0].steps == plans[1].steps == ()
    assert plans[0].runtime == "pytorch"
    first = load_device(device).preferred_paths[0]
    assert (plans[1].runtime, plans[1].unit) == (first.runtime, first.unit)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("net", [*NETS, "wide"])
def test_plans_are_bounded_distinct_legal_and_can_be_previewed(device, net):
    workload = wide() if net == "wide" else NETS[net]()
    plans = candidates(case(workload, device))
    assert len(plans) <= load_techniques().limits.plans
    assert len({plan.model_dump_json() for plan in plans}) == len(plans)
    assert plans == candidates(case(workload, device))
    for plan in plans:
        assert load_techniques().objection(plan.techniques) == ""
        assert preview_plan(plan, workload).params <= workload.params


def test_singles_come_before_pairs_and_pairs_exist():
    sizes = [len(plan.steps) for plan in candidates(case(wide()))]
    assert sizes.index(2) > max(i for i, size in enumerate(sizes) if size == 1)
    assert 3 in sizes


def test_the_well_known_combination_is_there():
    techniques = {plan.techniques for plan in candidates(case(wide(), facts={"model.task": "classification"}))}
    assert ("prune_channels", "static_int8") in techniques
    assert ("resolution", "prune_channels", "static_int8") in techniques
    assert ("distil", "prune_channels", "static_int8") in techniques


def test_integer_only_paths_combine_only_into_int8():
    plans = candidates(case(wide(), "coral-usb-accelerator"))
    assert any(plan.techniques == ("half",) for plan in plans)
    assert {plan.techniques[-1] for plan in plans if len(plan.steps) > 1} <= {"static_int8", "qat"}


def test_the_goal_chooses_the_runtime():
    plans = candidates(case(plain(), runtime="tflite"))
    assert {plan.runtime for plan in plans[1:]} == {"tflite"}
    assert plans[0].runtime == "pytorch"


@pytest.mark.parametrize("wanted", [{"runtime": "tensorrt"}, {"runtime": "onnxrutime"}, {"unit": "npu"}])
def test_a_runtime_that_the_device_lacks_is_an_error_that_lists_what_it_has(wanted):
    with pytest.raises(GoalError) as caught:
        candidates(case(plain(), **wanted))
    assert "onnxruntime/cpu" in caught.value.remedy


def test_threads_come_from_the_goal():
    assert {plan.threads for plan in candidates(case(plain(), threads=2))} == {2}


def test_a_quantized_model_is_only_moved_to_other_runtimes():
    plans = candidates(case(plain(), facts={"model.quantized": True}))
    assert all(plan.steps == () for plan in plans)


def test_widths_follow_the_alignment_of_the_path():
    aligned = Restrictions(channel_alignment=32)
    path = ExecPath(runtime="r", unit="npu", precisions=("int8",), restrictions=aligned)
    device = Device(id="x", name="x", vendor="x", kind="npu-accelerator", paths=(path,))
    steps = [step for plan in candidates(case(wide(), device)) for step in plan.steps if hasattr(step, "round_to")]
    assert {step.round_to for step in steps} == {32}


def test_saturating_cpus_get_seven_bit_weights_first():
    def first(isa: tuple[str, ...]):
        path = ExecPath(
            runtime="onnxruntime", unit="cpu", precisions=("fp32", "int8"),
            restrictions=Restrictions(signedness=("u8s8",)),
        )  # fmt: skip
        device = Device(id="x", name="x", vendor="x", kind="x86", cpu={"arch": "x86_64", "isa": isa}, paths=(path,))
        return get("static_int8").propose(case(plain(), device), path)[0].reduce_range

    assert first(("avx2",))
    assert not first(("avx2", "avx512_vnni"))


@pytest.mark.parametrize("budget", ["none", "calibration", "finetune"])
def test_without_labels_a_small_cut_without_training_is_proposed(budget):
    steps = get("prune_channels").propose(case(wide(), budget=budget), on_path(channel_alignment=4))
    assert any(step.epochs == 0 for step in steps) == (budget != "finetune")


def test_needs_and_effort_are_those_of_the_steps():
    plans = {plan.techniques: plan for plan in candidates(case(wide()))}
    assert plan_needs(plans[()]) == "none"
    assert plan_needs(plans[("half",)]) == "none"
    assert plan_needs(plans[("static_int8",)]) == "calibration"
    assert plan_needs(plans[("prune_channels", "static_int8")]) == "finetune"
    assert plan_needs(plans[("distil", "half")]) == "train"
    efforts = load_techniques().techniques
    expected = efforts["prune_channels"].effort.mid + efforts["qat"].effort.mid
    assert plan_effort(plans[("prune_channels", "qat")]) == pytest.approx(expected)
    assert plan_effort(plans[("resolution",)]) == 0  # no epochs


def test_attention_free_nets_get_no_transformer_pruning():
    assert all("prune_transformer" not in plan.techniques for plan in candidates(case(inverted())))
    assert any("prune_transformer" in plan.techniques for plan in candidates(case(transformer())))
