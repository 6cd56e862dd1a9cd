"""What every technique promises, for each of them on every small network."""

import json
import subprocess
import sys

import pytest

from advisor.schema import Plan, Step
from advisor.techniques import preview_plan
from advisor.techniques.registry import Technique, all_techniques, get, register

from .builder import NETS, case, inverted, path

NAMES = [technique.name for technique in all_techniques()]


@pytest.fixture(params=NAMES)
def technique(request) -> Technique:
    return get(request.param)


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("restrictions", [{}, {"channel_alignment": 4, "signedness": ("u8s8",)}])
def test_proposals_are_own_steps_without_repetition(technique, net, restrictions):
    steps = technique.propose(case(NETS[net]()), path(**restrictions))
    assert all(type(step) is technique.step for step in steps)
    assert len({step.model_dump_json() for step in steps}) == len(steps)


@pytest.mark.parametrize("net", NETS)
def test_previews_never_grow_repeat_and_leave_their_input_alone(technique, net):
    workload = NETS[net]()
    before = workload.model_dump_json()
    for step in technique.propose(case(workload), path()):
        after = technique.preview(step, workload)
        assert after.params <= workload.params
        assert after.macs <= workload.macs
        assert after.model_dump_json() == technique.preview(step, workload).model_dump_json()
        assert [op.index for op in after.ops] == list(range(len(after.ops)))
    assert workload.model_dump_json() == before


@pytest.mark.parametrize("net", NETS)
def test_previews_are_valid_records_whose_parts_are_known(technique, net):
    workload = NETS[net]()
    for step in technique.propose(case(workload), path()):
        after = technique.preview(step, workload)
        assert type(after).model_validate_json(after.model_dump_json()) == after
        for op in after.ops:
            assert all(t in after.tensor for t in (*op.inputs, *op.outputs))
            assert all(name in after.weight for name in op.weights)


def test_steps_survive_json(technique):
    for net in NETS.values():
        for step in technique.propose(case(net()), path()):
            plan = Plan(steps=(step,), runtime="onnxruntime")
            assert Plan.model_validate_json(plan.model_dump_json()) == plan
            assert json.loads(plan.model_dump_json())["steps"][0]["name"] == technique.name


def test_the_registry_knows_every_step():
    ours = {step for step in Step.registry.values() if step.__module__.startswith("advisor.")}
    assert {technique.step for technique in all_techniques()} == ours


def test_a_second_technique_of_the_same_name_is_refused():
    with pytest.raises(ValueError, match="registered twice"):
        register(get("half"))


def test_unknown_techniques_get_a_suggestion():
    with pytest.raises(KeyError, match="static_int8"):
        get("static_int")


def test_steps_of_a_plan_are_previewed_in_order():
    prune, quantize = get("prune_channels"), get("static_int8")
    steps = (prune.propose(case(inverted()), path())[0], quantize.propose(case(inverted()), path())[0])
    expected = quantize.preview(steps[1], prune.preview(steps[0], inverted()))
    assert preview_plan(Plan(steps=steps, runtime="onnxruntime"), inverted()) == expected


def test_importing_and_combining_needs_no_torch():
    code = (
        "import sys\n"
        "for name in ('torch', 'timm', 'onnx', 'onnxruntime'): sys.modules[name] = None\n"
        "import advisor.techniques.combine\n"
        "from advisor.techniques.registry import all_techniques\n"
        "print(len(all_techniques()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, str(len(NAMES))), done.stderr
