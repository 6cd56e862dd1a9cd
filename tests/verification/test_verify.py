import json
import shutil

import pytest

from advisor.errors import RunError
from advisor.schema import Metric
from tests.execution.journeys import pruned_int8

pytestmark = pytest.mark.real


@pytest.fixture
def run_copy(tmp_path):
    _, out = pruned_int8()
    return shutil.copytree(out, tmp_path / "run")


def test_a_run_is_measured_again_and_judged(run_copy):
    from advisor.verification import verify_run

    before, _ = pruned_int8()
    files = {p.name: p.read_bytes() for p in run_copy.iterdir()}
    after = verify_run(run_copy)
    assert after.accuracy == before.accuracy
    assert {m.metric for m in after.measurements} == {Metric.LATENCY, Metric.SIZE, Metric.MEMORY, Metric.ACCURACY}
    verdict = {v.metric: v.hit for v in after.verdicts}
    assert verdict[Metric.SIZE] is True
    assert verdict[Metric.MEMORY] is False  # predicted far too high
    assert verdict[Metric.ENERGY] is None
    assert {p.name: p.read_bytes() for p in run_copy.iterdir()} == files


@pytest.mark.parametrize("why", ["gone", "changed"])
def test_without_the_same_images_the_stored_accuracy_is_kept_and_noted(run_copy, tmp_path, why):
    from advisor.verification import verify_run
    from tests.execution.digits import write_digits

    elsewhere = tmp_path / "images"
    if why == "changed":
        write_digits(elsewhere, count=100)
    fields = json.loads((run_copy / "run.json").read_text())
    fields["data"]["origin"] = str(elsewhere)
    (run_copy / "run.json").write_text(json.dumps(fields))
    after = verify_run(run_copy)
    assert after.accuracy == fields["accuracy"]
    expected = "is not a folder" if why == "gone" else "images of the run are gone"
    assert any(note.startswith("Accuracy was not measured again") and expected in note for note in after.notes)


def spoil(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def escape(path):
    fields = json.loads(path.read_text())
    fields["artefacts"][0]["file"] = "../../etc/passwd"
    path.write_text(json.dumps(fields))


@pytest.mark.parametrize(
    ("file", "harm", "said"),
    [
        ("model.onnx", spoil, "model.onnx is damaged"),
        ("model.onnx", lambda p: p.unlink(), "model.onnx is missing"),
        ("weights.safetensors", spoil, "weights.safetensors is damaged"),
        ("run.json", lambda p: p.unlink(), "no run.json"),
        ("run.json", lambda p: p.write_text("{"), "run.json cannot be read"),
        ("run.json", lambda p: p.write_text("{}"), "run.json cannot be read"),
        ("run.json", lambda p: p.write_bytes(b"\xff\xfe\x00"), "run.json cannot be read"),
        ("run.json", escape, "names a file outside the run"),
    ],
)
def test_damaged_runs_are_refused_with_the_file(run_copy, file, harm, said):
    from advisor.verification import verify_run

    harm(run_copy / file)
    with pytest.raises(RunError, match=said):
        verify_run(run_copy)


def test_a_folder_without_a_run_is_refused(tmp_path):
    from advisor.verification import verify_run

    with pytest.raises(RunError, match=r"no run\.json"):
        verify_run(tmp_path)


def test_on_another_machine_only_what_travels_is_judged(run_copy, monkeypatch):
    from advisor.verification import verify, verify_run

    monkeypatch.setattr(verify, "machine_name", lambda: "another processor (4 CPUs, aarch64)")
    after = verify_run(run_copy)
    hits = {v.metric: v.hit for v in after.verdicts}
    assert hits[Metric.LATENCY] is None
    assert hits[Metric.MEMORY] is None
    assert hits[Metric.SIZE] is True
    assert {g.metric for g in after.gain_verdicts} <= {Metric.SIZE}
    assert any("another processor" in note for note in after.notes)
