"""The optional hooks of a technique, each called at its time, with what the contract promises."""

from types import SimpleNamespace

import numpy as np
import pytest

from advisor.schema import Plan
from advisor.techniques.prune_channels.step import PruneChannels

from .carrying import carried, few_images
from .journeys import run

pytestmark = pytest.mark.real


@pytest.fixture
def hook(monkeypatch):
    """Let the pruning of channels have these hooks, and no others, for one test."""
    from advisor.techniques.prune_channels import apply as real

    def put(**hooks):
        fake = SimpleNamespace(STAGE=real.STAGE, needs=real.needs, apply=real.apply, **hooks)
        monkeypatch.setattr("advisor.execution.refuse.apply_module", lambda step: fake)

    return put


def test_a_resolved_step_is_what_is_applied_recorded_and_previewed(hook):
    hook(resolve=lambda step, subject: step.model_copy(update={"ratio": 0.5}))
    step = PruneChannels(ratio=0.25, round_to=8, epochs=0)
    record, out = run(Plan(steps=(step,), runtime="onnxruntime"), data=few_images())
    assert record.plan.steps[0].ratio == record.steps[0].settings["ratio"] == 0.25
    assert record.resolved.steps[0].ratio == record.steps[0].resolved["ratio"] == 0.5
    assert all(check.agrees for check in record.checks), record.checks
    assert '"ratio": 0.5' in (out / "plan.json").read_text()


def test_what_needs_no_resolving_is_recorded_once(hook):
    hook()
    done = carried(PruneChannels(ratio=0.5, round_to=8, epochs=0))
    assert done.steps[0].resolved is None
    assert done.plan.steps == (PruneChannels(ratio=0.5, round_to=8, epochs=0),)


def test_rounds_are_carried_out_one_after_the_other_each_with_its_own_training(hook):
    hook(rounds=lambda step: tuple(step.model_copy(update={"ratio": ratio}) for ratio in (0.25, 0.3)))
    done = carried(PruneChannels(ratio=0.5, round_to=4, epochs=1))
    (step,) = done.steps
    first, second = step.details["rounds"]
    assert step.done.startswith("2 rounds: cut ")
    assert first["epochs"] == second["epochs"] == 1
    assert second["widths"]["0"][0] == first["widths"]["0"][1] < 16


def test_an_objective_is_what_is_minimized_and_is_closed(hook):
    import torch
    from torch import nn

    seen = {}

    class Own(nn.Module):
        def __init__(self, student, images, hard):
            super().__init__()
            self.hard, self.scale = hard, nn.Parameter(torch.ones(()))
            self.hook = student[0].register_forward_hook(lambda *_: seen.update(hooked=True))
            seen["shape"] = tuple(images.shape)

        def forward(self, student, teacher, images, targets):
            seen["teacher"] = teacher.training, any(p.requires_grad for p in teacher.parameters())
            seen["scale"] = self.scale
            return self.scale * self.hard(student(images), targets)

        def close(self):
            self.hook.remove()
            seen["closed"] = True

    hook(objective=lambda step, student, teacher, images, hard: Own(student, images, hard))
    done = carried(PruneChannels(ratio=0.5, round_to=8, epochs=1))
    assert seen["hooked"]
    assert seen["closed"]
    assert seen["shape"][1:] == (1, 16, 16)
    assert seen["teacher"] == (False, False)
    assert float(seen["scale"].detach()) != 1.0  # trained along
    assert done.steps[0].details["epochs"] == 1


def test_after_training_sees_the_trained_module_and_calibration_images(hook):
    seen = []

    def after(step, module, batches):
        seen.append((module.training, next(batches).dtype))
        module[1].running_mean.zero_()

    hook(after_training=after)
    done = carried(PruneChannels(ratio=0.5, round_to=8, epochs=1))
    assert seen == [(False, np.dtype("float32"))]
    assert not done.subject.module[1].running_mean.any()


def test_an_original_that_only_guesses_does_not_teach_a_recovery(hook, monkeypatch):
    from tests.execution import carrying, digits

    hook()
    monkeypatch.setattr(carrying, "loaded", lambda: digits.loaded(digits.build()))
    (step,) = carried(PruneChannels(ratio=0.5, round_to=8, epochs=1)).steps
    assert step.details["taught_by"].startswith("labels alone: top-1 of the original is")
    assert step.done.endswith("by labels alone")


SCHEDULES = {  # updates of 100 with 10 of warm-up: factor expected
    "constant": {0: 0.1, 9: 1.0, 50: 1.0, 99: 1.0},
    "cosine": {4: 0.5, 10: 1.0, 55: 0.5, 100: 0.0},
    "step": {10: 1.0, 54: 1.0, 55: 0.1, 78: 0.01},
}


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_learning_rate_follows_its_schedule(schedule):
    from advisor.execution.schedules import factor

    for number, expected in SCHEDULES[schedule].items():
        assert factor(schedule, number, 100, 10) == pytest.approx(expected)


def test_frozen_norms_keep_their_statistics_while_the_weights_learn():
    import torch

    from advisor.execution.data import open_data
    from advisor.execution.images import ImageReader
    from advisor.execution.training import Training, fine_tune
    from tests.execution.digits import build, grey

    torch.manual_seed(0)
    data, module = open_data(few_images(), 10), build()
    before = module[1].running_mean.clone()
    settings = Training(
        epochs=4, batch=16, learning_rate=0.02, freeze_norms_after=0, clip_norm=1.0, warmup_epochs=1, schedule="step"
    )
    trained = fine_tune(module, data.train, ImageReader(grey(), 1), settings, held=data.selection)
    assert trained.best_epoch > 0
    assert torch.equal(module[1].running_mean, before)
