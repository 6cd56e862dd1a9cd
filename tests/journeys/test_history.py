"""From a recommendation over what came of it to the next recommendation, which says so: the CLI on a real network."""

import json

import pytest
from typer.testing import CliRunner

from advisor.cli.main import app
from tests.execution.digits import SIZE, digits_dir

pytestmark = pytest.mark.real
SHAPE = f"1x1x{SIZE}x{SIZE}"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a pickled network and a store of its own; measurements are short."""
    import torch

    folder = tmp_path_factory.mktemp("history")
    plain = torch.nn.Sequential(
        torch.nn.Conv2d(1, 16, 3, padding=1), torch.nn.ReLU(), torch.nn.Conv2d(16, 32, 3, stride=2, padding=1),
        torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(32, 10),
    )  # fmt: skip
    torch.save(plain, folder / "module.pt")
    patch = pytest.MonkeyPatch()
    patch.setenv("ADVISOR_OUTCOMES", str(folder / "outcomes.sqlite"))
    patch.setattr("advisor.measurement.latency.ROUND_SECONDS", 0.005)
    patch.setattr("advisor.measurement.latency.MOST_ROUNDS", 7)
    patch.setattr("advisor.measurement.memory.PROCESSES", 1)
    yield folder
    patch.undo()


def advisor(*arguments, codes=(0,)):
    result = CliRunner(env={"COLUMNS": "80", "NO_COLOR": "1"}).invoke(app, [str(a) for a in arguments])
    assert result.exit_code in codes, result.output
    return result.stdout


def asked(place, *more):
    return advisor("recommend", place / "module.pt", "--input", SHAPE, "-t", "host", "--data", digits_dir(), *more)


def decision(place, *more):
    """Return a recommendation without the time it was made."""
    found = json.loads(asked(place, *more, "--json"))
    found.pop("created")
    return found


@pytest.fixture(scope="module")
def before(place):
    return decision(place)


@pytest.fixture(scope="module")
def applied(place, before):
    """The run of static int8, with the file it was recommended in."""
    asked(place, "-o", place / "plan.json")
    plan = next(c for c in before["candidates"] if [s["name"] for s in c["plan"]["steps"]] == ["static_int8"])
    advisor("apply", place / "plan.json", "--plan", plan["number"], "--data", digits_dir(), "--out", place / "run")
    return place / "run"


def test_without_outcomes_a_recommendation_is_what_it_is_without_a_store(place, before):
    assert before == decision(place, "--outcomes", "off")
    assert not (place / "outcomes.sqlite").exists()


def test_a_run_is_recorded_and_the_next_recommendation_says_so(place, before, applied):
    (outcome,) = json.loads(advisor("history", "--json"))
    assert outcome["techniques"] == ["static_int8"]
    assert {f["metric"] for f in outcome["figures"]} >= {"latency_ms", "size_mb", "memory_mb"}
    assert {f["metric"] for f in outcome["unchanged"]} == {"latency_ms", "memory_mb"}
    assert outcome["effects"]
    after = decision(place)
    was, now = (
        next(c for c in d["candidates"] if [s["name"] for s in c["plan"]["steps"]] == ["static_int8"])
        for d in (before, after)
    )
    memory = now["estimates"]["memory_mb"]
    measured = next(f["measured"] for f in outcome["figures"] if f["metric"] == "memory_mb")
    assert memory["seen"]["times"] == 1
    assert memory["seen"]["mid"] == was["estimates"]["memory_mb"]["mid"]
    assert abs(memory["mid"] - measured) < abs(was["estimates"]["memory_mb"]["mid"] - measured)
    assert any("1 earlier outcome " in note for note in after["notes"])
    assert after["profile"] != before["profile"]


def test_verifying_again_is_seen_as_well_and_told_in_the_table(place, applied):
    advisor("verify", applied, "--no-record", codes=(0, 4))
    assert len(json.loads(advisor("history", "--json"))) == 1
    advisor("verify", applied, codes=(0, 4))
    assert [one["by"] for one in json.loads(advisor("history", "--json"))] == ["apply", "verify"]
    assert "seen here" in " ".join(asked(place).split())
    assert "fitted" in advisor("history", "accuracy")


def test_a_store_that_is_damaged_stops_neither_recommendation_nor_run(place, applied, tmp_path):
    bad = tmp_path / "bad.sqlite"
    bad.write_bytes(b"nothing" * 1000)
    found = decision(place, "--outcomes", bad)
    assert any("Predictions do without earlier outcomes" in note for note in found["notes"])
    said = advisor("verify", applied, "--outcomes", bad, codes=(0, 4))
    assert "The outcome was not recorded" in " ".join(said.split())
    assert bad.read_bytes() == b"nothing" * 1000
