import pytest

from advisor.prediction import predict_all
from advisor.prediction.calibrated import Calibrated, form_of, predict, ratio_spread, total_ms
from advisor.prediction.op_terms import terms
from advisor.prediction.query import Query
from advisor.schema import Basis, Metric, OpKind, Plan
from advisor.schema.calibration import Calibration, Cost, CostTable, HeldOut
from advisor.techniques import preview_plan
from advisor.techniques.dynamic_int8.step import DynamicInt8
from advisor.techniques.half.step import Half
from advisor.techniques.static_int8.step import StaticInt8
from advisor.techniques.weight_only.step import WeightOnly

from .networks import board, conv_net

ZERO = {"row_mmacs": 0.0, "read_m": 0.0, "written_m": 0.0, "activated_m": 0.0, "weights_m": 0.0}


def costs(speed: float) -> tuple[Cost, ...]:
    made = (("conv stem float", 0.02), ("linear row float", 0.0), ("conv stem int8", 0.005), ("linear row int8", 0.0))
    return tuple(Cost(name=name, mmacs=mmacs / speed, calls=0.01 / speed, n=5, **ZERO) for name, mmacs in made)


def held_out(form: str, spread: float) -> HeldOut:
    return HeldOut(form=form, threads=1, n=30, mean_error=0.06, within_10=0.8, low=1 / spread, high=spread, ratio=1.04,
                   ratio_forms=1.08)  # fmt: skip


CALIBRATION = Calibration(
    date="2026-01-02T00:00:00+00:00", cpu="A", runtime="onnxruntime", runtime_version="1", samples=100,
    tables=tuple(CostTable(threads=n, constant_ms=0.1, costs=costs(speed)) for n, speed in ((1, 1.0), (4, 3.0))),
    errors=(held_out("fp32", 1.1), held_out("int8", 1.2), held_out("int8_dynamic", 1.15)),
)  # fmt: skip
DEVICE = board(runtime="onnxruntime", unit="cpu").model_copy(update={"calibration": CALIBRATION})


def query(*steps, threads=1, device=DEVICE, network=None, runtime="onnxruntime"):
    network = network or conv_net()
    plan = Plan(steps=steps, runtime=runtime, unit="cpu", threads=threads)
    return Query(plan, network, preview_plan(plan, network), device)


def test_a_calibrated_device_is_answered_for_by_its_calibration_first():
    asked = query()
    answers = predict_all(asked.plan, asked.before, asked.after, asked.device, {})[Metric.LATENCY]
    assert answers[0].estimate.predictor == "calibrated"
    assert answers[0].estimate.basis is Basis.CALIBRATED
    assert answers[0].estimate.n == 30


@pytest.mark.parametrize(
    "asked",
    [
        query(device=DEVICE.model_copy(update={"calibration": None})),
        query(runtime="pytorch"),
        query(Half()),
        query(WeightOnly()),
    ],
    ids=["not calibrated", "other runtime", "half", "weight only"],
)
def test_what_was_not_timed_is_not_answered(asked):
    predictor = Calibrated()
    assert predictor.supports(asked) is None
    assert predictor.absence(asked)
    with pytest.raises(ValueError, match="there is none"):
        predictor.estimate(asked)


@pytest.mark.parametrize(
    ("steps", "form"), [((), "fp32"), ((StaticInt8(),), "int8"), ((DynamicInt8(),), "int8_dynamic")]
)
def test_the_interval_is_that_of_the_form(steps, form):
    asked = query(*steps, network=conv_net(norm=False))
    assert form_of(asked) == form
    error = CALIBRATION.error(form, 1)
    found = predict(asked, CALIBRATION)
    assert found.low < found.mid < found.high
    assert found.high / found.mid >= error.high * 0.999


def test_the_times_of_all_operations_and_the_constant_add_up():
    network = conv_net(norm=False)
    macs = network.ops[0].macs * 1e-6
    kinds = {op.kind for op in network.ops}
    assert {OpKind.CONV, OpKind.LINEAR} <= kinds
    table = CALIBRATION.tables[0]
    known = dict.fromkeys(terms(network, "onnxruntime").names)
    unfused = set(known) - {cost.name for cost in table.costs}
    wanted = 0.1 + (0.01 + 0.02 * macs) + 0.01
    assert total_ms(network, table) >= wanted * 0.999
    if not unfused:
        assert total_ms(network, table) == pytest.approx(wanted)


def test_threads_between_those_timed_are_interpolated_with_a_wider_interval():
    one, two, four = (predict(query(threads=n), CALIBRATION) for n in (1, 2, 4))
    assert four.mid < two.mid < one.mid
    assert two.high / two.mid > one.high / one.mid
    assert "between the numbers of threads" in two.note


def test_more_threads_than_timed_promise_nothing_more():
    four, many = (predict(query(threads=n), CALIBRATION) for n in (4, 64))
    assert many.mid == pytest.approx(four.mid)
    assert many.high > four.high


def test_operations_that_were_not_timed_widen_the_interval_and_are_named():
    table = CALIBRATION.tables[0]
    fewer = tuple(cost for cost in table.costs if not cost.name.startswith("conv"))
    partial = CALIBRATION.model_copy(update={"tables": (table.model_copy(update={"costs": fewer}),)})
    found, whole = predict(query(), partial), predict(query(), CALIBRATION)
    assert "not timed here" in found.note
    assert found.high / found.mid > whole.high / whole.mid


def test_ratios_within_a_form_are_known_better_than_between_forms():
    plain, int8 = query(), query(StaticInt8())
    assert ratio_spread(plain, plain) == pytest.approx(1.04)
    assert ratio_spread(plain, int8) == pytest.approx(1.08)


@pytest.mark.parametrize("other", [query(threads=4), query(Half())], ids=["other threads", "not timed"])
def test_no_spread_is_stated_where_the_calibration_does_not_speak_of_both(other):
    assert ratio_spread(query(), other) is None


@pytest.mark.parametrize(
    ("channels", "name"), [(64, "conv blocked float"), (52, "conv blocked float"), (51, "conv plain float")]
)
def test_float_kernels_follow_the_channels(channels, name):
    from tests.calibration.samples import convolutions

    assert name in terms(convolutions(channels, 8, 2), "onnxruntime").names


def test_blocked_kernels_are_charged_for_the_channels_they_pad():
    from tests.calibration.samples import convolutions

    def macs(channels: int) -> float:
        return float(terms(convolutions(channels, 8, 1), "onnxruntime").quantities[:, 0].sum())

    assert macs(52) == pytest.approx(macs(64))
    assert macs(51) < macs(52)
