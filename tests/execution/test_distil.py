"""Teaching a student: what ships, what is stored, who may teach; the later steps change the student."""

import copy
import functools
import tempfile
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

from advisor.errors import NotApplicable, RunError
from advisor.schema import Plan
from advisor.techniques.distil.step import Distil
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.qat.step import QAT

from .digits import build, digits_dir, grey, loaded, trained, write_digits
from .journeys import fast_measurement, run  # noqa: F401 - a fixture

pytestmark = pytest.mark.real

TAUGHT = Distil(student="timm:lcnet_050", size=32, epochs=1, batch=32)
HINTED = Distil(student="timm:lcnet_050", size=32, objective="hint", epochs=2, batch=32, learning_rate=6e-3)
PLANS = {
    "distil": (TAUGHT,),
    "hint": (HINTED,),
    "distil, prune, qat": (TAUGHT, PruneChannels(ratio=0.3, epochs=1), QAT(signedness="u8s8", epochs=1)),
}


@functools.cache
def few_images():
    return write_digits(Path(tempfile.mkdtemp(prefix="few-digits-")), 200)


@functools.cache
def carried_out(name):
    return run(Plan(steps=PLANS[name], runtime="onnxruntime"), data=None if name == "hint" else few_images())


def test_the_student_that_ships_equals_its_preview_and_the_teacher_reads_its_own_size():
    record, out = carried_out("distil")
    details = record.steps[0].details
    assert all(check.agrees for check in record.checks), record.checks
    assert record.accuracy["original"] > 90
    assert details["teacher_validation_top1"] > 80
    assert details["validation_top1_before"] < 50
    assert "batch_norms_reestimated" not in details
    assert "original" in record.steps[0].done
    sizes = {artefact.file: artefact.bytes for artefact in record.artefacts}
    assert sizes["model.onnx"] == (out / "model.onnx").stat().st_size > sizes["baseline.onnx"]


def test_the_steps_settings_reach_the_training_and_other_steps_keep_theirs():
    from advisor.execution.recovery import RATE, settings_of

    step = Distil(student="timm:lcnet_050", epochs=9, learning_rate=0.02, batch=16)
    settings = settings_of(step, 3)
    assert (settings.epochs, settings.patience) == (9, 9)
    assert (settings.learning_rate, settings.batch, settings.optimizer, settings.seed) == (0.02, 16, "adam", 3)
    recovery = settings_of(PruneChannels(ratio=0.3, epochs=2), 3)
    assert (recovery.learning_rate, recovery.optimizer) == (RATE, "sgd")


def test_another_objective_teaches_and_its_adapter_does_not_ship():
    record, _ = carried_out("hint")
    assert all(check.agrees for check in record.checks)
    assert record.steps[0].settings["objective"] == "hint"
    details = record.steps[0].details
    assert details["validation_top1_after"] > details["validation_top1_before"] + 5
    usual, other = (load_file(carried_out(name)[1] / "weights.safetensors") for name in ("distil", "hint"))
    assert usual.keys() == other.keys()
    assert all(usual[name].shape == other[name].shape for name in usual)


@functools.cache
def weights_file():
    """Return a file with weights of the student, trained on labels; it is better than guessing."""
    from advisor.execution.data import open_data
    from advisor.execution.images import ImageReader
    from advisor.execution.training import Training, fine_tune
    from advisor.techniques.distil.building import Built, build_student

    module = build_student(Built(student="lcnet_050", classes=10, channels=1, size=32))
    data = open_data(digits_dir(), 10)
    settings = Training(5, optimizer="adam", learning_rate=6e-3, batch=32, shift=0)
    taught = fine_tune(module, data.train, ImageReader(grey(), 1, (32, 32)), settings, held=data.selection)
    assert taught.best > 45
    file = Path(tempfile.mkdtemp(prefix="weights-")) / "lcnet.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in module.state_dict().items()}, file)
    return file


def test_a_student_starts_from_weights_of_a_file():
    step = TAUGHT.model_copy(update={"weights": str(weights_file())})
    record, _ = run(Plan(steps=(step,), runtime="onnxruntime"), data=few_images())
    details = record.steps[0].details
    assert details["validation_top1_before"] > 30 > carried_out("distil")[0].steps[0].details["validation_top1_before"]
    assert details["classifier_kept"]
    assert "lcnet.safetensors" in record.steps[0].done


def test_a_student_that_is_better_than_the_original_is_not_taught(tmp_path):
    import torch

    poor = copy.deepcopy(trained())
    with torch.no_grad():
        poor[-1].bias[:7] -= 1000  # it never answers with these classes
    step = TAUGHT.model_copy(update={"weights": str(weights_file())})
    with pytest.raises(NotApplicable, match="nothing to teach"):
        run(Plan(steps=(step,), runtime="onnxruntime"), model=loaded(poor), out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_later_steps_change_the_student():
    from advisor import runtimes

    record, out = carried_out("distil, prune, qat")
    assert [step.technique for step in record.steps] == ["distil", "prune_channels", "qat"]
    macs, params = (check.actual for check in record.checks)
    whole = {check.quantity: check.actual for check in carried_out("distil")[0].checks}
    assert macs < 0.8 * whole["macs"]
    assert params < 0.8 * whole["params"]
    runtime = runtimes.get("onnxruntime")
    assert runtime.placement(out / "model.onnx").heavy_int8 >= 20
    assert runtime.load(out / "model.onnx", 1).input_shape == (1, 1, 32, 32)
    assert (out / "model.onnx").stat().st_size < 0.4 * (carried_out("distil")[1] / "model.onnx").stat().st_size


@pytest.mark.parametrize(("name", "file"), [("distil", "model.onnx"), ("distil, prune, qat", "float.onnx")])
def test_a_student_loads_again_without_the_original(name, file):
    import torch

    from advisor import runtimes
    from advisor.execution import load_pruned

    _, out = carried_out(name)
    batch = np.random.default_rng(0).standard_normal((1, 1, 32, 32)).astype(np.float32)
    with torch.inference_mode():
        expected = load_pruned(out)(torch.from_numpy(batch)).numpy()
    found = runtimes.get("onnxruntime").load(out / file, 1)(batch)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_stored_weights_cannot_ask_for_anything_else(tmp_path):
    from safetensors.torch import save_file

    from advisor.errors import AdvisorError
    from advisor.execution.pruned import with_weights

    file = tmp_path / "weights.safetensors"
    for built, kind in (('{"student": "python:os:system"}', RunError), ('{"student": "hf-hub:a/b", "classes": 2, '
                        '"channels": 3, "size": 32}', AdvisorError)):  # fmt: skip
        save_file({}, file, metadata={"advisor.built": built})
        with pytest.raises(kind):
            with_weights(None, file)


def test_random_weights_and_guesses_do_not_teach(tmp_path):
    plan = Plan(steps=(TAUGHT,), runtime="onnxruntime")
    for model, why in (
        (loaded(random_weights=True), "weights are random"),
        (loaded(build()), "the original cannot teach"),
    ):
        with pytest.raises(NotApplicable, match=why):
            run(plan, model=model, out=tmp_path / "out")
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("teacher", "better"), [(95.0, True), (99.0, False)])
def test_a_student_that_outdoes_its_teacher_is_told(teacher, better):
    from advisor.execution.teaching import said

    told = said({"epochs": 3, "teacher_validation_top1": teacher, "validation_top1_before": 9.0,
                 "validation_top1_after": 97.0})  # fmt: skip
    assert ("better than the original" in told) is better
    assert "97.0" in told
    assert f"{teacher:.1f}" in told
