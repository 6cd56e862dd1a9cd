from typing import ClassVar

import pytest
from pydantic import ValidationError

from advisor.schema import (
    Basis,
    Device,
    Estimate,
    Figure,
    Metric,
    Op,
    OpKind,
    Plan,
    Step,
    Storage,
    Tensor,
    Weight,
    Workload,
)


class Twist(Step):
    """A step of another package."""

    technique: ClassVar[str] = "test_twist"
    turns: int = 1


def test_a_plan_survives_json_with_its_own_step_classes():
    plan = Plan(steps=(Twist(turns=3), Twist()), runtime="onnxruntime", threads=2)
    back = Plan.model_validate_json(plan.model_dump_json())
    assert back == plan
    assert isinstance(back.steps[0], Twist)


def test_an_unknown_technique_in_a_stored_plan_is_named():
    with pytest.raises(ValidationError, match=r"unknown technique 'magic'"):
        Plan.model_validate({"steps": [{"name": "magic"}], "runtime": "onnxruntime"})


def test_a_technique_name_can_be_taken_only_once():
    with pytest.raises(TypeError, match="registered twice"):
        type("Other", (Step,), {"technique": "test_twist", "__annotations__": {"technique": ClassVar[str]}})


def test_records_refuse_unknown_fields_and_changes():
    with pytest.raises(ValidationError):
        Plan.model_validate({"runtime": "onnxruntime", "treads": 2})
    with pytest.raises(ValidationError):
        Plan(runtime="x").runtime = "y"


@pytest.mark.parametrize(("low", "mid", "high"), [(2, 1, 3), (1, 4, 3)])
def test_an_estimate_must_be_ordered(low, mid, high):
    with pytest.raises(ValidationError, match="does not hold"):
        Estimate(metric=Metric.SIZE, low=low, mid=mid, high=high, basis=Basis.ASSUMED, predictor="x")


@pytest.mark.parametrize("fields", [{"basis": "published"}, {"basis": "measured"}, {"basis": "derived"}])
def test_a_figure_without_origin_is_refused(fields):
    with pytest.raises(ValidationError):
        Figure(value=1.0, **fields)


def test_a_figure_must_name_a_source_that_the_profile_has():
    fields = {
        "id": "x",
        "name": "X",
        "vendor": "v",
        "kind": "sbc",
        "paths": [{"runtime": "r", "unit": "cpu", "precisions": ["fp32"]}],
    }
    with pytest.raises(ValidationError, match="is not in sources"):
        Device.model_validate(fields | {"memory": {"capacity_mb": {"value": 1, "source": "nowhere"}}})


def test_a_workload_counts_parameters_not_buffers_and_bytes_by_storage():
    weights = (
        Weight(name="w", shape=(10, 3), role="weight", storage=Storage(dtype="int8", granularity="per_channel")),
        Weight(name="b", shape=(5,), role="bias", storage=Storage(dtype="int4")),
        Weight(name="mean", shape=(4,), role="buffer", counted=False),
    )
    op = Op(index=0, kind=OpKind.LINEAR, name="linear", inputs=(0,), outputs=(1,), weights=("w", "b"), macs=30)
    load = Workload(
        name="x", inputs=(0,), outputs=(1,), weights=weights, ops=(op,),
        tensors=(Tensor(id=0, shape=(2, 3)), Tensor(id=1, shape=(2, 10), dtype="float16")),
    )  # fmt: skip
    assert (load.params, load.macs, load.batch) == (35, 30, 2)
    assert load.stored_bytes == 30 + 3 + 16  # five int4 values need three bytes
    assert (load.tensor[0].bytes, load.tensor[1].bytes) == (24, 40)
    assert load.weight_elements(op) == 35


def test_a_changed_copy_does_not_keep_what_the_original_had_computed():
    load = Workload(name="x", inputs=(0,), outputs=(0,), tensors=(Tensor(id=0, shape=(1, 3)),), weights=(), ops=())
    assert load.tensor[0].dtype == "float32"
    changed = load.model_copy(update={"tensors": (Tensor(id=0, shape=(1, 3), dtype="int8"),)})
    assert changed.tensor[0].dtype == "int8"
    assert load.tensor[0].dtype == "float32"


def test_results_are_remembered_by_identity_not_by_value():
    from advisor.schema.identity import remembered

    calls = []

    @remembered(4)
    def count(load, factor=1):
        calls.append(load)
        return len(load.ops) * factor

    first = Workload(name="x", inputs=(), outputs=(), tensors=(), weights=(), ops=())
    twin = first.model_copy()
    assert [count(first), count(first), count(twin), count(first, 2)] == [0, 0, 0, 0]
    assert [id(load) for load in calls] == [id(first), id(twin), id(first)]
