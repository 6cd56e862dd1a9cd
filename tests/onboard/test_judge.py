import json

import pytest

from advisor.errors import RunError
from advisor.onboard.judge import judged
from advisor.onboard.results import checked
from advisor.schema import Metric, Plan

from .runs import DEVICE, estimate, measured, results_of, write_run


def judge(run_dir, **changes):
    return judged(run_dir, checked(results_of(run_dir, **changes), "here"), "results.json")


def verdict(record, metric=Metric.LATENCY):
    return next(one for one in record.verdicts if one.metric is metric)


@pytest.mark.parametrize(
    ("interval", "hit"), [((0.5, 2), True), ((1, 1.5), True), ((2, 3), False), ((0.1, 0.9), False)]
)
def test_the_prediction_for_the_board_is_judged_not_the_one_for_this_machine(tmp_path, interval, hit):
    run_dir = write_run(
        tmp_path / "run",
        predicted={Metric.LATENCY: estimate(Metric.LATENCY, *interval)},
        predicted_here={Metric.LATENCY: estimate(Metric.LATENCY, 1e3, 1e4)},
    )
    found = judge(run_dir)
    assert verdict(found).hit is hit
    assert verdict(found).measured.value == 1.0
    assert verdict(found).measured.baseline_value == 2.0
    assert verdict(found).predicted.high == interval[1]


def test_the_record_says_who_measured(small_run):
    found = judge(small_run)
    assert found.environment["measured_on"] == DEVICE
    assert found.environment["onnxruntime"] == "1.2"
    assert found.environment["machine"] == "Intel(R) N100 (4 CPUs, x86_64)"
    assert "heavy_float" not in found.environment  # was counted on another machine
    assert found.notes[0] == "Something else."
    assert "Measured on" in found.notes[1]
    assert "make sure" not in found.notes[1]


def test_size_is_that_of_the_file_and_energy_and_memory_are_taken_where_they_were_measured(small_run):
    record = json.loads((small_run / "run.json").read_text())
    extra = {"energy_mj": [5.0] * 9, "peak_mb": 60.0, "runtime_mb": 40.0}
    artefacts = [measured(one, **extra) for one in record["artefacts"]]
    found = {m.metric: m for m in judge(small_run, artefacts=artefacts, meter="ina3221").measurements}
    assert found[Metric.SIZE].value == pytest.approx(1.05, abs=0.01)
    assert (found[Metric.ENERGY].value, found[Metric.MEMORY].value) == (5.0, 60.0)
    assert "ina3221" in found[Metric.ENERGY].method
    assert set(found) > {m.metric for m in judge(small_run).measurements}


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"device": "raspberry-pi-5"}, "of raspberry-pi-5, the run is for intel-n100"),
        (
            {"machine": {"name": "Pi", "arch": "aarch64", "cpus": 4, "system": "", "python": ""}},
            "which is no intel-n100",
        ),
    ],
)
def test_results_of_another_board_are_refused(small_run, changes, said):
    with pytest.raises(RunError, match=said):
        judge(small_run, **changes)


@pytest.mark.parametrize("role", ["baseline", "shipped"])
def test_results_of_other_files_are_refused(small_run, role):
    fields = results_of(small_run)
    for one in fields["artefacts"]:
        if one["role"] == role:
            one["sha256"] = "0" * 64
    with pytest.raises(RunError, match="checksum begins with 000000000000"):
        judged(small_run, checked(fields, "here"), "results.json")


def test_a_changed_file_of_the_run_is_refused(run_dir):
    fields = results_of(run_dir)
    (run_dir / "model.onnx").write_bytes(b"something else")
    with pytest.raises(RunError, match=r"model\.onnx is damaged"):
        judged(run_dir, checked(fields, "here"), "results.json")


@pytest.mark.parametrize(
    ("plan", "changes", "said"),
    [
        (Plan(runtime="tensorrt", unit="gpu"), {}, "measured with onnxruntime/cpu, but predicted for tensorrt/gpu"),
        (Plan(runtime="onnxruntime"), {"threads": 4}, "measured with 4 thread"),
    ],
)
def test_what_was_measured_in_another_way_than_predicted_is_shown_but_not_judged(tmp_path, plan, changes, said):
    found = verdict(judge(write_run(tmp_path / "run", plan=plan), **changes))
    assert found.hit is None
    assert found.measured.value == 1.0
    assert said in found.explanation


@pytest.mark.parametrize(("runtime", "hit"), [("onnxruntime", True), ("tensorrt", None)])
def test_size_is_judged_where_the_file_is_what_the_target_loads(tmp_path, runtime, hit):
    record = judge(write_run(tmp_path / "run", plan=Plan(runtime=runtime)))
    found = verdict(record, Metric.SIZE)
    assert found.hit is hit
    assert (hit is None) is ("predicted what tensorrt makes of it" in found.explanation)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ({"throttle_events": 3}, {"throttle_events": 5}, "throttled itself 2 times"),
        ({"temperature_c": 60.0}, {"temperature_c": 91.0}, "hottest zone was at 91"),
        ({"undervolted": False}, {"undervolted": True}, "low voltage"),
        ({"throttle_events": 3, "temperature_c": 91.0}, {"throttle_events": 3, "temperature_c": 91.0}, ""),
    ],
)
def test_a_throttled_board_is_inconclusive(small_run, before, after, said):
    quiet = results_of(small_run)["before"]
    found = judge(small_run, before={**quiet, **before}, after={**quiet, **after})
    assert verdict(found).hit is (None if said else True)
    assert said in verdict(found).explanation
    assert found.environment["throttled"] == "no" if not said else said in found.environment["throttled"]


def test_medians_far_from_minima_are_inconclusive(small_run):
    record = json.loads((small_run / "run.json").read_text())
    rounds = [1.0] * 4 + [1.2] * 5
    busy = measured(record["artefacts"][1], rounds_ms=rounds, median_ms=1.2, minimum_ms=1.0, seconds=5.0)
    found = judge(small_run, artefacts=[busy])
    assert verdict(found).hit is None
    assert "20% above its minimum" in verdict(found).explanation


def test_a_board_of_another_name_is_doubted(small_run):
    machine = {"name": "AMD EPYC 7763", "arch": "x86_64", "cpus": 2, "system": "", "python": ""}
    assert any("make sure that it is" in note for note in judge(small_run, machine=machine).notes)
