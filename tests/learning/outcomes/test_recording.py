"""What is kept of a run, and that keeping it never takes the run away."""

import pytest

from advisor.devices import load_device
from advisor.learning.outcomes import kept, place_of, taught
from advisor.learning.outcomes.recording import outcome_of
from advisor.learning.outcomes.store import Store
from advisor.prediction.seen import network_key
from advisor.rules.sources import rules_in_use
from advisor.schema import Finding, Measurement, Metric, Plan, Seen, Truth
from advisor.techniques.static_int8.step import StaticInt8
from advisor.verification import verdicts
from tests.verification.test_verdicts import estimate, measurement, record

INT8 = Plan(steps=(StaticInt8(),), runtime="onnxruntime")


@pytest.fixture(scope="module")
def host():
    return load_device("host")


def run(**fields):
    given = {
        "predicted": [estimate(Metric.LATENCY, 8, 12), estimate(Metric.SIZE, 3, 4), estimate(Metric.ENERGY, 1, 2)],
        "measured": [measurement(Metric.LATENCY, 11, 10.5, 11.5, baseline_value=22.0), measurement(Metric.SIZE, 9)],
        "precision": "int8",
    }
    made = record(**given | fields)
    made = made.model_copy(update={"plan": INT8.model_copy(update={"runtime": made.plan.runtime})})
    return made.model_copy(update={"verdicts": verdicts(made)})


def test_every_measured_metric_is_kept_with_its_verdict(host):
    found = outcome_of(run(), host, by="apply")
    assert [f.metric for f in found.figures] == [Metric.LATENCY, Metric.SIZE]
    latency, size = found.figures
    assert (latency.low, latency.mid, latency.high, latency.measured, latency.hit) == (8, 10, 12, 11, True)
    assert (size.hit, size.cause) == (False, "file_overhead")
    assert size.rules == ("VM-05",)
    assert (found.device, found.machine, found.runtime, found.form) == (
        "host",
        host.soc,
        "onnxruntime/cpu",
        "static_int8",
    )
    assert found.network == network_key(1, 1)
    assert found.id == found.named().id


def test_a_corrected_prediction_is_kept_with_what_it_was_before(host):
    corrected = estimate(Metric.LATENCY, 8, 12).model_copy(update={"seen": Seen(times=2, low=4, mid=5, high=6)})
    found = outcome_of(run(predicted=[corrected]), host, by="verify")
    assert found.figures[0].before == (4, 5, 6)
    assert found.figures[0].mid == 10


def test_the_unchanged_model_is_kept_where_it_was_predicted(host):
    predicted = {Metric.LATENCY: estimate(Metric.LATENCY, 20, 24), Metric.SIZE: estimate(Metric.SIZE, 1, 2)}
    (figure,) = outcome_of(run(), host, by="apply", unchanged=predicted).unchanged
    assert (figure.metric, figure.mid, figure.measured, figure.hit) == (Metric.LATENCY, 22, 22, True)
    assert (figure.measured_low, figure.measured_high) == (21.5, 22.5)


def test_a_prediction_for_another_device_is_kept_without_a_verdict(host):
    away = run(on_this_machine=False, runtime="tensorrt")
    found = outcome_of(away, host, by="apply")
    assert (found.device, found.target) == ("host", "board")
    assert [f.hit for f in found.figures] == [None, None]


def test_what_a_board_measured_counts_for_the_board(host):
    seen = {"threads": "4", "threads_predicted": "4", "measured_on": "board", "runtime": "tensorrt", "unit": "gpu"}
    found = outcome_of(run(environment=seen), host, by="verify")
    assert (found.device, found.machine, found.threads, found.runtime) == ("board", "", 4, "tensorrt/gpu")


def finding(rule, kind="prefer", **fields):
    given = {"rule": rule, "kind": kind, "title": "t", "origin": "X", "certainty": "strong", "truth": Truth.TRUE,
             "reason": "r", "weight": 0.9}  # fmt: skip
    return Finding(**given | fields)


@pytest.mark.parametrize(
    ("given", "kept_rules"),
    [
        ([finding("HW-03a")], {"HW-03a": True}),
        ([finding("HW-03e", "estimate")], {"HW-03e": True}),
        ([finding("QS-11", "estimate")], {"QS-11": False}),
        ([finding("HW-03a", truth=Truth.UNKNOWN), finding("HW-03e", weight=0.0), finding("ZZ-99")], {}),
        ([finding("VM-01", "procedure")], {}),
    ],
)
def test_what_rules_promised_is_held_against_the_run(host, given, kept_rules):
    measured = [measurement(Metric.LATENCY, 11, baseline_value=22.0), measurement(Metric.ACCURACY, -3.0)]
    found = outcome_of(run(measured=measured), host, by="apply", findings=given, rules=rules_in_use(()))
    assert {one.rule: one.held for one in found.effects} == kept_rules
    assert found.knowledge


def test_rules_about_another_device_are_not_judged_by_this_one(host):
    away = run(on_this_machine=False)
    found = outcome_of(away, host, by="apply", findings=[finding("HW-03a")], rules=rules_in_use(()))
    assert found.effects == ()


def test_an_inconclusive_measurement_judges_no_rule(host):
    measured = [measurement(Metric.LATENCY, 11, baseline_value=22.0, conclusive=False, note="busy")]
    found = outcome_of(run(measured=measured), host, by="apply", findings=[finding("HW-03a")], rules=rules_in_use(()))
    assert found.effects == ()
    assert found.figures[0].note == "busy"


def test_a_run_is_recorded_and_comes_back_unchanged(host, tmp_path):
    place = str(tmp_path / "o.sqlite")
    made = run()
    assert kept(made, host, place, by="apply") is made
    assert kept(made, host, place, by="apply") is made
    (found,) = Store(place_of(place)).read()
    assert found.figures[0].measured == 11


def test_a_run_that_is_recorded_again_later_is_the_same_outcome(host):
    """`apply --resume` returns a finished run; by then predictions for the unchanged model have learnt from it."""
    first = outcome_of(run(), host, by="apply", unchanged={Metric.LATENCY: estimate(Metric.LATENCY, 20, 24)})
    later = outcome_of(run(), host, by="apply", unchanged={Metric.LATENCY: estimate(Metric.LATENCY, 19, 23)})
    again = outcome_of(run(measured=[measurement(Metric.LATENCY, 11.01)]), host, by="verify")
    assert first.id == later.id != again.id


@pytest.mark.parametrize("why", ["damaged", "a folder", "no driver", "a mistake in the program"])
def test_a_store_that_fails_is_a_note_and_never_the_end_of_a_run(host, tmp_path, why, monkeypatch):
    place = str(tmp_path / "o.sqlite")
    if why == "damaged":
        (tmp_path / "o.sqlite").write_bytes(b"nothing" * 100)
    elif why == "a folder":
        (tmp_path / "o.sqlite").mkdir()
    elif why == "no driver":
        place = "nosuch://place"
    else:
        monkeypatch.setattr("advisor.learning.outcomes.recording.outcome_of", lambda *_, **__: 1 / 0)
    made = run()
    found = kept(made, host, place, by="apply")
    (note,) = found.notes
    assert note.startswith("The outcome was not recorded: ")
    assert found.model_copy(update={"notes": ()}) == made
    device, notes = taught(host, place)
    assert device.lessons == ()
    assert len(notes) == (why not in {"a mistake in the program", "a folder"})


def test_switched_off_nothing_is_kept_or_taught(host, tmp_path, monkeypatch):
    monkeypatch.setenv("ADVISOR_OUTCOMES", "off")
    made = run()
    assert kept(made, host, by="apply") is made
    assert taught(host) == (host, ())


def test_a_device_is_taught_by_its_outcomes_and_says_so(host, tmp_path):
    place = str(tmp_path / "o.sqlite")
    assert taught(host, place) == (host, ())
    for value in (11.0, 11.5, 11.8):
        kept(run(measured=[measurement(Metric.LATENCY, value)]), host, place, by="verify")
    device, (note,) = taught(host, place)
    assert {one.metric for one in device.lessons} == {Metric.LATENCY}
    assert all(one.shift > 0 for one in device.lessons)
    assert "3 earlier outcomes" in note
    other = host.model_copy(update={"soc": "another processor"})
    assert taught(other, place) == (other, ())


def test_in_another_power_mode_nothing_is_taught(host, tmp_path):
    place = str(tmp_path / "o.sqlite")
    kept(run(), host, place, by="apply")
    power = host.power.model_copy(update={"mode": "15W"})
    device = host.model_copy(update={"power": power})
    assert taught(device, place) == (device, ())


def test_measurements_without_a_prediction_are_kept_too(host):
    extra = Measurement(metric=Metric.MEMORY, value=5, low=5, high=5, n=1, method="m", machine="here", runtime="r")
    found = outcome_of(run(measured=[extra]), host, by="apply")
    assert (found.figures[0].mid, found.figures[0].measured, found.figures[0].hit) == (None, 5, None)
