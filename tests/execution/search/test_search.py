"""Searching on the digits network for real: what is tried, what ships, and what is said where nothing holds."""

import functools
import json

import pytest

from advisor.execution.search import Asked, NothingHolds
from advisor.schema import Plan
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.resolution.step import LowerResolution
from advisor.techniques.static_int8.step import StaticInt8

from ..journeys import fast_measurement, run  # noqa: F401 - a fixture

pytestmark = pytest.mark.real
INT8 = StaticInt8(signedness="u8s8")


def plan(*steps):
    return Plan(steps=steps, runtime="onnxruntime")


@functools.cache
def searched():
    return run(plan(PruneChannels(ratio=0.5, epochs=2), INT8), limit=Asked(3.0))


def test_the_strongest_setting_that_holds_ships():
    record, out = searched()
    search = record.search
    chosen = next(trial for trial in search.trials if trial.number == search.chosen)
    holding = [trial for trial in search.trials if trial.outcome == "holds"]
    assert chosen.drop + chosen.standard_error <= 3.0
    assert chosen.times_as_fast / chosen.megabytes == max(t.times_as_fast / t.megabytes for t in holding)
    assert (record.resolved or record.plan) == chosen.plan
    assert (out / "model.onnx").stat().st_size == pytest.approx(1e6 * chosen.megabytes)
    assert all(check.agrees for check in record.checks), record.checks
    assert [step.technique for step in record.steps] == list(chosen.plan.techniques)


def test_what_the_plan_asks_for_is_tried_first_and_looked_at_before_it_is_trained():
    first = searched()[0].search.trials[0]
    assert first.asked.steps[0].ratio == 0.5
    assert 0 <= first.agreement < 100
    assert first.macs < 1_500_000


def test_the_verdict_rests_on_images_that_took_no_part():
    record, _ = searched()
    search, data = record.search, record.data
    assert search.selection > 0
    assert search.trials[0].images == search.selection
    accuracy = next(m for m in record.measurements if m.metric == "accuracy_delta_pp")
    assert (search.drop, accuracy.n) == (-accuracy.value, data.test)
    assert search.verdict in {"kept", "within error", "broken"}


def test_every_part_was_changed_alone():
    parts = searched()[0].search.sensitivities
    assert [part.part for part in parts] == ["0", "3", "6.conv1"]
    assert all(0 < part.agreement <= 100 for part in parts)


def test_nothing_is_written_where_nothing_holds(tmp_path):
    with pytest.raises(NothingHolds, match=r"no setting of this plan keeps within 0\.5 points") as found:
        run(plan(LowerResolution(height=8, width=8)), limit=Asked(0.5), out=tmp_path / "run")
    assert list(tmp_path.iterdir()) == []
    trials = found.value.record.trials
    assert {trial.outcome for trial in trials} <= {"breaks", "refused"}
    assert "nearest: input 16x16" in found.value.where or "nearest: input" in found.value.where
    assert found.value.exit_code == 3


def test_a_stopped_search_goes_on_and_ends_in_the_same(tmp_path, monkeypatch):
    from advisor.execution.search import bench

    asked = plan(INT8), Asked(3.0)
    costs = bench.Bench.costs
    monkeypatch.setattr(bench.Bench, "costs", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run(asked[0], limit=asked[1], out=tmp_path / "run")
    work = tmp_path / ".run.unfinished"
    assert not (tmp_path / "run").exists()
    monkeypatch.setattr(bench.Bench, "costs", costs)
    record, _ = run(asked[0], limit=asked[1], out=tmp_path / "run", resume=True)
    assert record.search.chosen == 1
    assert not work.exists()


def test_trials_of_a_stopped_search_are_not_made_again(tmp_path, monkeypatch):
    from advisor.execution.search import search

    carried = []
    monkeypatch.setattr(search, "_brought_home", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        run(plan(INT8), limit=Asked(3.0), out=tmp_path / "run")
    trials = json.loads((tmp_path / ".run.unfinished" / "work" / "trials.json").read_text())
    assert [trial["outcome"] for trial in trials] == ["holds"]
    monkeypatch.undo()
    monkeypatch.setattr("advisor.execution.search.search.try_rung", lambda *given: carried.append(given) or True)
    record, out = run(plan(INT8), limit=Asked(3.0), out=tmp_path / "run", resume=True)
    assert record.search.trials[0].number == 1
    assert (out / "model.onnx").stat().st_size == pytest.approx(1e6 * trials[0]["megabytes"])


def test_page_and_card_tell_of_the_search():
    from advisor.reports.markdown import to_markdown
    from advisor.reports.run import run_page

    record, out = searched()
    page, card = to_markdown(run_page(record)), (out / "model_card.md").read_text()
    assert record.done.label in page.splitlines()[0]
    assert "What was tried" in page
    assert f"{len(record.search.trials)} settings tried" in page
    assert f"at most {record.search.max_drop:g} points of top-1 may be lost" in card
