"""Plans are scored on one yardstick: a measured time is never compared with another predictor's guess as it stands."""

import pytest

from advisor.ranking.rank import decide
from advisor.ranking.weights import load_weights
from advisor.ranking.yardstick import compared, cost
from advisor.schema import Basis, Gain, Metric, Plan
from tests.ranking.builders import candidate, goal

WEIGHTS = load_weights()


def timed(number, ms, basis, gain, *, predictor, spread=1.2, runtime="ncnn", energy=None, **more):
    found = candidate(number, ms, plan=Plan(runtime=runtime), **more)
    own = found.estimates[Metric.LATENCY].model_copy(
        update={"basis": basis, "predictor": predictor, "low": ms / spread, "high": ms * spread}
    )
    estimates = {**found.estimates, Metric.LATENCY: own}
    if energy is not None:
        estimates[Metric.ENERGY] = own.model_copy(update={"metric": Metric.ENERGY, "mid": energy})
    gains = {Metric.LATENCY: Gain(metric=Metric.LATENCY, baseline=runtime, low=gain / 1.1, mid=gain, high=gain * 1.1)}
    return found.model_copy(update={"estimates": estimates, "gains": gains})


def costs(*plans):
    return {c.number: c.compared for c in compared(plans, WEIGHTS)}


def test_a_guess_beside_a_measurement_is_bridged_by_its_gain():
    plain = timed(1, 60, Basis.PUBLISHED, 1.0, predictor="published")
    int8 = timed(2, 20, Basis.ROOFLINE, 1.5, predictor="roofline")  # the roofline says 30 for the plain one
    found = costs(plain, int8)
    assert found[1][Metric.LATENCY] / found[2][Metric.LATENCY] == pytest.approx(1.5)


def test_the_best_known_plan_is_the_yardstick_wherever_it_stands():
    plain = timed(1, 30, Basis.ROOFLINE, 1.0, predictor="roofline")
    int8 = timed(2, 40, Basis.PUBLISHED, 1.5, predictor="published")
    found = costs(plain, int8)
    assert found[1][Metric.LATENCY] / found[2][Metric.LATENCY] == pytest.approx(1.5)
    assert found[2][Metric.LATENCY] > 40


def test_two_figures_of_one_predictor_stand_as_they_are():
    plain = timed(1, 60, Basis.PUBLISHED, 1.0, predictor="published")
    int8 = timed(2, 36, Basis.PUBLISHED, 1.3, predictor="published")
    found = costs(plain, int8)
    assert found[1][Metric.LATENCY] / found[2][Metric.LATENCY] == pytest.approx(60 / 36)


def test_energy_follows_the_latency():
    plain = timed(1, 60, Basis.PUBLISHED, 1.0, predictor="published", energy=600)
    int8 = timed(2, 20, Basis.ROOFLINE, 1.5, predictor="roofline", energy=200)
    found = costs(plain, int8)
    assert found[1][Metric.ENERGY] / found[2][Metric.ENERGY] == pytest.approx(1.5)


@pytest.mark.parametrize(("basis", "winner"), [(Basis.ROOFLINE, 1), (Basis.CALIBRATED, 2)])
def test_a_guess_of_another_path_must_be_better_at_its_dear_end(basis, winner):
    known = timed(1, 60, Basis.PUBLISHED, 1.0, predictor="published", spread=1.1)
    other = timed(2, 35, basis, 1.0, predictor="other", spread=2.2, runtime="tflite")
    assert decide(compared([candidate(0, 500.0), known, other], WEIGHTS), goal("latency"), 1)[1] == winner


def test_without_a_gain_or_a_time_plans_stand_by_themselves():
    alone = timed(1, 60, Basis.FITTED, 1.0, predictor="pooled").model_copy(update={"gains": {}})
    unknown = candidate(2, 10.0)
    unknown = unknown.model_copy(update={"estimates": {Metric.SIZE: unknown.estimates[Metric.SIZE]}})
    found = costs(alone, unknown)
    assert found[1][Metric.LATENCY] > 60
    assert found[2][Metric.LATENCY] == pytest.approx(2 * found[1][Metric.LATENCY])  # presumed dear
    assert cost(unknown, Metric.LATENCY) is None
    assert cost(unknown, Metric.SIZE) == 10.0


def test_the_answer_says_which_latency_the_score_counts():
    from advisor.ranking.explain import why
    from tests.ranking.builders import recommendation

    plain = timed(1, 60, Basis.PUBLISHED, 1.0, predictor="published")
    int8 = timed(2, 20, Basis.ROOFLINE, 1.5, predictor="roofline")
    asked = recommendation(*compared([candidate(0, 500.0), plain, int8], WEIGHTS))
    assert "instead of 20.0 ms" in " ".join(why(asked, 2).answer)


@pytest.mark.parametrize(
    ("basis", "unit", "held"),
    [(Basis.ASSUMED, "gpu", True), (Basis.PUBLISHED, "gpu", False), (Basis.ASSUMED, "cpu", False)],
    ids=["a guess", "a measurement", "of another unit"],
)
def test_eager_execution_that_nobody_timed_is_no_faster_than_a_runtime_that_somebody_did(basis, unit, held):
    eager = timed(0, 1, basis, 1.0, predictor="roofline", energy=10)
    eager = eager.model_copy(update={"plan": Plan(runtime="pytorch", unit=unit)})
    runtime = timed(1, 6, Basis.FITTED, 1.0, predictor="pooled")
    runtime = runtime.model_copy(update={"plan": Plan(runtime="tensorrt", unit="gpu")})
    found = costs(eager, runtime)
    assert (found[0][Metric.LATENCY] == pytest.approx(found[1][Metric.LATENCY])) == held
    assert (found[0][Metric.LATENCY] < found[1][Metric.LATENCY]) != held
