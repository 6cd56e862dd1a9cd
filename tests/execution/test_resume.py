"""A run that was killed, at whatever moment, goes on and ends in the files of a run in one go."""

import functools
import os
import signal
from pathlib import Path

import pytest

from advisor.errors import RunError
from advisor.schema import Plan, RunRecord
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.qat.step import QAT
from advisor.techniques.sparsify.step import Sparsify

from .carrying import few_images
from .journeys import fast_measurement, run  # noqa: F401 - a fixture
from .stopping import kill_self, killing_writes, outcome

pytestmark = pytest.mark.real

KILLED = -signal.SIGKILL
# Cut layers, masks that hold zeros, and layers that round: every kind of module that a checkpoint must hold.
PLAN = Plan(
    steps=(PruneChannels(ratio=0.5, round_to=8, epochs=2), Sparsify(sparsity=0.5, epochs=2),
           QAT(signedness="u8s8", epochs=1)),
    runtime="onnxruntime",
)  # fmt: skip
SHORT = Plan(steps=(PruneChannels(ratio=0.5, round_to=8, epochs=2),), runtime="onnxruntime")


@pytest.fixture(autouse=True)
def no_measurement(monkeypatch):
    """Leave out what is measured after the last step: nothing of it is resumed."""
    monkeypatch.setattr("advisor.execution.apply.measure_costs", lambda *_: ())
    monkeypatch.setattr("advisor.execution.apply.measure_accuracy", lambda *_: ({}, ()))


def go(out, plan=PLAN, **more):
    return run(plan, data=few_images(), out=out, **more)[0]


@functools.cache
def in_one_go(plan):
    import tempfile

    out = Path(tempfile.mkdtemp(prefix="whole-")) / "out"
    return go(out, plan), out


def assert_same(out, plan=PLAN):
    """Compare weights and shipped file bit for bit, and what the steps say but their seconds."""
    expected, whole = in_one_go(plan)
    record = RunRecord.model_validate_json((out / "run.json").read_text())
    for name in ("weights.safetensors", "model.onnx"):
        assert (out / name).read_bytes() == (whole / name).read_bytes(), name
    assert [s.model_copy(update={"seconds": 0}) for s in record.steps] == [
        s.model_copy(update={"seconds": 0}) for s in expected.steps
    ]
    assert not list(out.parent.glob(".out*"))
    assert {p.name for p in out.iterdir()} == {a.file for a in record.artefacts} | {"run.json"}


def of_the_steps(path):
    return "/work/" in path or path.endswith("journal.json")


def killed_at_a_file(out, number, when):
    killing_writes(number, when, of_the_steps)
    go(out, resume=True)


@pytest.mark.parametrize("when", ["after", pytest.param("before", marks=pytest.mark.study)])
def test_a_run_that_is_killed_again_and_again_ends_the_same(tmp_path, when):
    """The first attempt ends at the first file that it keeps, the second at its second, and so on."""
    in_one_go(PLAN)
    out, stops = tmp_path / "out", 0
    while (code := outcome(killed_at_a_file, out, stops + 1, when)) == KILLED:
        stops += 1
    assert code == 0
    assert stops > 4
    assert_same(out)


def killed_at(out, moment):
    from advisor.execution import training

    real, rename, seen = training.update, Path.rename, []
    if moment.endswith("batch"):
        last = 1 if moment.startswith("first") else 3

        def update(*args):
            seen.append(real(*args))
            if len(seen) == last:
                kill_self()

        training.update = update
    elif moment == "run.json":
        killing_writes(1, "after", lambda path: path.endswith("run.json"))
    else:
        wanted = ".old" if moment.startswith("old") else "out"
        Path.rename = lambda self, to: (rename(self, to), kill_self() if str(to).endswith(wanted) else None)
    go(out, SHORT, restart=True)


@pytest.mark.parametrize("moment", ["first batch", "third batch", "run.json", "name of the folder", "old run aside"])
def test_a_run_that_is_killed_in_the_middle_or_at_the_end_goes_on(tmp_path, moment):
    in_one_go(SHORT)
    out = tmp_path / "out"
    if moment == "old run aside":
        go(out, Plan(runtime="onnxruntime"))

    assert outcome(killed_at, out, moment) == KILLED
    go(out, SHORT, resume=True)
    assert_same(out, SHORT)


def killed_after_an_epoch(out):
    killing_writes(1, "after", lambda path: path.endswith(".epoch.pt"))
    go(out, SHORT)


def stopped(out):
    """Leave a run of SHORT for `out` that was killed after its first epoch."""
    assert outcome(killed_after_an_epoch, out) == KILLED


OTHERS = {
    "plan": ({"plan": Plan(steps=(PruneChannels(ratio=0.25, round_to=8, epochs=2),), runtime="onnxruntime")}, "plan"),
    "seed": ({"seed": 5}, "seed was 0, now it is 5"),
    "model": ({"model": "untrained"}, "weights are others"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_another_order_does_not_go_on_with_it(tmp_path, other):
    from .digits import build, loaded

    out = tmp_path / "out"
    stopped(out)
    more, said = OTHERS[other]
    more = {"plan": SHORT, **more}
    if "model" in more:
        more["model"] = loaded(build())
    with pytest.raises(RunError, match=said) as refused:
        go(out, resume=True, **more)
    assert "--restart" in refused.value.remedy
    assert (tmp_path / ".out.unfinished" / "journal.json").is_file()


def test_without_resume_an_unfinished_run_is_named_and_restart_drops_it(tmp_path):
    out = tmp_path / "out"
    stopped(out)
    with pytest.raises(RunError, match="begun and not finished") as refused:
        go(out, SHORT)
    assert "--resume" in refused.value.remedy
    assert "--restart" in refused.value.remedy
    go(out, SHORT, restart=True)
    assert_same(out, SHORT)


def test_a_finished_run_is_left_as_it_is(tmp_path):
    out = tmp_path / "out"
    first = go(out, SHORT)
    before = (out / "run.json").stat().st_mtime_ns
    assert go(out, SHORT, resume=True) == first
    assert (out / "run.json").stat().st_mtime_ns == before
    with pytest.raises(RunError, match="cannot go on"):
        go(out, PLAN, resume=True)


@pytest.mark.parametrize("damage", ["cut short", "a pickle that runs code"])
def test_a_damaged_or_hostile_checkpoint_is_refused(tmp_path, damage):
    import pickle

    out = tmp_path / "out"
    stopped(out)
    (checkpoint,) = (tmp_path / ".out.unfinished" / "work").glob("*.epoch.pt")
    if damage == "cut short":
        checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    else:

        class Trap:
            def __reduce__(self):
                return os.system, (f"touch {tmp_path / 'sprung'}",)

        checkpoint.write_bytes(pickle.dumps(Trap()))
    with pytest.raises(RunError, match="cannot be read") as refused:
        go(out, SHORT, resume=True)
    assert "--restart" in refused.value.remedy
    assert not (tmp_path / "sprung").exists()


def test_two_processes_do_not_work_on_one_run(tmp_path):
    from advisor.execution.working import _alone

    with _alone(tmp_path), pytest.raises(RunError, match="another process"), _alone(tmp_path):
        pass
