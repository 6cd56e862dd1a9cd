import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.errors import AdvisorError
from advisor.measurement import bench, latency
from advisor.measurement.bench import Entrant, entrant, ratio_interval, unsteady
from advisor.measurement.latency import Timing, sit
from advisor.reports.bench import bench_page
from advisor.reports.markdown import to_markdown
from advisor.runtimes import get
from tests.onboard.runs import write_run
from tests.runtimes.graphs import write_linear


class Recorder:
    input_shape = (1, 2)

    def __init__(self, name, log):
        self.name, self.log = name, log

    def __call__(self, batch):
        self.log.append(self.name)


def test_every_round_runs_all_in_turn_forwards_and_backwards(monkeypatch):
    log = []
    monkeypatch.setattr(latency, "_repeats", lambda run, seconds: 1)
    found = sit([Recorder(name, log) for name in "abc"], 1, rounds=7)
    assert "".join(log) == "abccbaabccbaabccbaabc"
    assert [len(timing.rounds) for timing in found.timings] == [7, 7, 7]


def test_energy_is_measured_where_there_is_a_meter(monkeypatch):
    class Meter:
        source = "a meter"

        def joules(self, work):
            work()
            return 3.0

    monkeypatch.setattr(latency, "_repeats", lambda run, seconds: 10)
    monkeypatch.setattr(latency, "find_meter", Meter)
    found = latency.compare(Recorder("a", []), Recorder("b", []), 1)
    record = found.energy("rt", "here")
    assert (record.value, record.baseline_value) == (300.0, 300.0)  # 3 J by 10 runs, in mJ
    assert "a meter" in record.method
    assert "idle power" in record.method


def test_without_a_meter_there_is_no_energy(monkeypatch):
    monkeypatch.setattr(latency, "_repeats", lambda run, seconds: 1)
    monkeypatch.setattr(latency, "find_meter", lambda: None)
    assert latency.compare(Recorder("a", []), Recorder("b", []), 1).energy("rt", "here") is None


def test_a_throttled_machine_is_inconclusive(monkeypatch):
    from advisor.measurement.conditions import Conditions

    states = iter([Conditions(throttle_events=1), Conditions(throttle_events=4)])
    monkeypatch.setattr(latency, "read_conditions", lambda: next(states))
    monkeypatch.setattr(latency, "_repeats", lambda run, seconds: 1)
    monkeypatch.setattr(latency, "doubt", lambda *_: "")
    found = latency.compare(Recorder("a", []), Recorder("b", []), 1)
    assert not found.conclusive
    assert "throttled itself 3 times" in found.measurement("rt", "here").note


positive = st.floats(0.1, 100)


@given(st.lists(st.tuples(positive, positive), min_size=7, max_size=15))
def test_the_interval_lies_within_what_was_measured_and_is_a_point_for_a_constant_ratio(pairs):
    first, own = (Timing(tuple(values)) for values in zip(*pairs, strict=True))
    low, high = ratio_interval(first, own)
    assert min(own.rounds) / max(first.rounds) - 1e-9 <= low <= high <= max(own.rounds) / min(first.rounds) + 1e-9
    double = Timing(tuple(2 * value for value in first.rounds))
    if len(first.rounds) % 2:  # the median is one of the rounds, then
        assert ratio_interval(first, double) == pytest.approx((2, 2))


def test_the_interval_holds_the_ratio_as_often_as_it_says():
    """Two networks of ratio 0.8 with 5 % of noise: 95 % intervals over 200 sittings."""
    random, held = np.random.default_rng(0), 0
    for _ in range(200):
        first, own = (Timing(tuple(m * np.exp(random.normal(0, 0.05, 9)))) for m in (10.0, 8.0))
        low, high = ratio_interval(first, own)
        held += low <= 0.8 <= high
    assert held >= 170


@pytest.mark.parametrize(("rounds", "said"), [((1.0,) * 9, ""), ((1.0,) * 4 + (1.2,) * 5, "20% above")])
def test_one_artefact_alone_is_doubted_where_median_and_minimum_part(rounds, said):
    assert said in unsteady(Timing(rounds))
    assert (unsteady(Timing(rounds)) == "") is (said == "")


@pytest.fixture
def files(tmp_path):
    return [write_linear(tmp_path / f"{name}.onnx", size, size) for name, size in (("small", 64), ("large", 900))]


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(latency, "ROUND_SECONDS", 0.01)
    monkeypatch.setattr(latency, "MOST_ROUNDS", latency.ROUNDS)
    monkeypatch.setattr("advisor.measurement.memory.PROCESSES", 1)


def test_a_sitting_compares_all_with_the_first(files, short):
    found = bench.bench([entrant(path) for path in (*files, files[0])])
    first, large, again = found.entries
    assert first.ratio is None
    assert large.ratio_low <= large.ratio <= large.ratio_high
    assert large.median_ms / first.median_ms == pytest.approx(large.ratio)
    assert large.ratio > 3  # 200 times the work
    assert again.ratio_low < 3
    assert large.peak_mb - large.runtime_mb > 3  # of 3.2 MB of weights
    text = to_markdown(bench_page(found))
    assert "large.onnx" in text
    assert "of the first" in text


@pytest.mark.parametrize(
    ("name", "runtime", "said"),
    [
        ("no.onnx", None, "does not exist"),
        ("notes.txt", None, "no runtime here opens"),
        ("notes.txt", "nothing", "run"),
    ],
)
def test_what_cannot_be_measured_is_named(tmp_path, name, runtime, said):
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(AdvisorError, match=said):
        entrant(tmp_path / name, runtime)


def test_fewer_than_seven_rounds_are_refused(files):
    with pytest.raises(AdvisorError, match="6 rounds are too few"):
        bench.bench([entrant(files[0])], rounds=6)


def test_the_command_measures_files_and_runs_side_by_side(files, tmp_path, short, invoke_json):
    run = write_run(tmp_path / "run")
    found = invoke_json("bench", files[0], run, run, "--rounds", 7, "--no-memory")
    names = [entry["name"] for entry in found["entries"]]
    assert names == ["small.onnx", str(run), str(run)]  # two of one name are told apart by their places
    assert all(len(entry["rounds_ms"]) == 7 for entry in found["entries"])
    assert json.dumps(found)


def test_a_run_alone_is_measured_beside_its_original(tmp_path, short, invoke_json):
    found = invoke_json("bench", write_run(tmp_path / "run"), "--rounds", 7, "--no-memory")
    assert [entry["name"] for entry in found["entries"]] == ["run (original, fp32)", "run (int8)"]


def test_the_commands_page_keeps_within_eighty_columns(files, short, invoke):
    told = invoke("bench", *files, "--rounds", 7)
    assert told.exit_code == 0, told.output
    assert "95 % interval" in told.stdout
    assert max(len(line) for line in told.stdout.splitlines()) <= 80


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("--rounds", 5), "too few"), (("--threads", 0), "too small"), (("--runtime", "nothing"), "does not run")],
)
def test_bad_orders_end_with_two(files, arguments, said, invoke):
    told = invoke("bench", files[0], *arguments)
    assert told.exit_code == 2
    assert said in told.stderr


def test_an_entrant_may_have_a_name_of_its_own(files):
    assert Entrant("mine", files[0], get("onnxruntime")).name == "mine"
