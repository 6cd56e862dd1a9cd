"""Faults of the machine and of the data: each leaves the run's folder consistent and says what to do."""

import errno

import pytest

from advisor.errors import DataError, RunError
from advisor.schema import Plan
from advisor.techniques.prune_channels.step import PruneChannels

from .carrying import carried, few_images
from .digits import write_digits
from .journeys import fast_measurement, run  # noqa: F401 - a fixture

pytestmark = pytest.mark.real

STEP = PruneChannels(ratio=0.5, round_to=8, epochs=2)
PLAN = Plan(steps=(STEP,), runtime="onnxruntime")


@pytest.fixture(autouse=True)
def no_measurement(monkeypatch):
    """Leave out what is measured after the last step."""
    monkeypatch.setattr("advisor.execution.apply.measure_costs", lambda *_: ())
    monkeypatch.setattr("advisor.execution.apply.measure_accuracy", lambda *_, **__: ({}, ()))


def go(out, **more):
    return run(PLAN, out=out, **{"data": few_images(), **more})[0]


class Broken:
    """A loss that is as usual but for what it does at one of its calls."""

    def __init__(self, objective, call, fault):
        self.objective, self.calls, self.call, self.fault = objective, 0, call, fault

    def __getattr__(self, name):
        return getattr(self.objective, name)

    def __call__(self, student, teacher, images, targets):
        self.calls += 1
        loss = self.objective(student, teacher, images, targets)
        return self.fault(loss, images) if self.calls >= self.call else loss


@pytest.fixture
def faulty_loss(monkeypatch):
    """Let the loss of recoveries fail: `fault(loss, images)` stands in for it from a call on."""
    from advisor.techniques.distil.objectives import recovery

    real = recovery.recovery_objective

    def put(fault, call=1):
        monkeypatch.setattr(recovery, "recovery_objective", lambda *a, **k: Broken(real(*a, **k), call, fault))

    return put


FULL = {
    "the system": (OSError(errno.ENOSPC, "No space left on device"), True),
    "the quota": (OSError(errno.EDQUOT, "Disk quota exceeded"), True),
    "a library in Rust": (RuntimeError("I/O error: No space left on device (os error 28)"), True),
    "another file": (OSError(errno.ENOENT, "No such file or directory"), False),
}


@pytest.mark.parametrize("who", FULL)
def test_a_full_disk_is_recognised_whoever_reports_it(who):
    from advisor.execution.faults import disk_full

    error, full = FULL[who]
    assert disk_full(error) is full
    wrapped = ValueError("could not save")
    wrapped.__cause__ = error
    assert disk_full(wrapped) is full


def test_a_full_disk_is_told_with_what_is_needed_and_the_run_goes_on(tmp_path, monkeypatch):
    from advisor.execution import journal

    real = journal.write_bytes

    def full(path, content):
        raise FULL["the system"][0]

    monkeypatch.setattr(journal, "write_bytes", full)
    with pytest.raises(RunError, match=r"disk is full: the run needs about .* MB in all, .* MB are free") as told:
        go(tmp_path / "out")
    assert "--resume" in told.value.remedy
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(journal, "write_bytes", real)
    record = go(tmp_path / "out", resume=True)
    assert record.steps[0].details["epochs"] == 2
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_full_disk_leaves_no_half_file(tmp_path):
    from advisor.writing import write_bytes

    target = tmp_path / "file"
    write_bytes(target, b"old")
    with pytest.raises(OSError, match="No space left"):
        write_bytes_to_full(target)
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]


def write_bytes_to_full(target):
    """Write to a disk that takes half of the content."""
    from pathlib import Path

    from advisor import writing

    real = Path.write_bytes

    def write(path, content):
        real(path, content[:1])
        with open("/dev/full", "wb", buffering=0) as full:
            full.write(content)

    Path.write_bytes = write
    try:
        writing.write_bytes(target, b"new")
    finally:
        Path.write_bytes = real


MEMORY = {
    "the GPU": lambda: __import__("torch").OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"),
    "the CPU": lambda: RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes"),
    "numpy": lambda: MemoryError("Unable to allocate 9 GiB"),
}


@pytest.mark.parametrize("who", MEMORY)
def test_where_memory_does_not_suffice_batches_are_computed_in_parts(faulty_loss, who):
    sizes = []

    def too_large(loss, images):
        if len(images) > 20:
            raise MEMORY[who]()
        sizes.append(len(images))
        return loss

    faulty_loss(too_large)
    (step,) = carried(STEP).steps
    assert step.details["micro_batch"] == 16
    assert step.details["batch"] == 64
    assert step.details["epochs"] == 2
    assert max(sizes) <= 16
    assert min(sizes) >= 2


def test_the_parts_of_a_batch_give_the_gradients_of_the_batch():
    import torch

    from advisor.execution.training import Training
    from advisor.execution.updates import Lesson, _gradients
    from advisor.techniques.distil.objectives.mixed import Labels

    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 3))
    images, labels = torch.randn(10, 1, 4, 4), torch.randint(0, 3, (10,))
    found = []
    for micro in (None, 3):
        optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
        lesson = Lesson(module, Labels(torch.nn.functional.cross_entropy), None, list(module.parameters()), optimizer,
                        None, Training(1), 1, micro=micro)  # fmt: skip
        _gradients(lesson, images, labels)
        found.append([p.grad.clone() for p in module.parameters()])
    for whole, parts in zip(*found, strict=True):
        torch.testing.assert_close(whole, parts)


def test_where_not_even_two_images_fit_the_training_is_refused(faulty_loss):
    def never(loss, images):
        raise MemoryError

    faulty_loss(never)
    with pytest.raises(RunError, match="not enough memory to train on") as told:
        carried(STEP)
    assert "smaller images" in told.value.remedy


@pytest.mark.parametrize(("factor", "said"), [(float("nan"), "nan"), (float("inf"), "inf")])
def test_a_loss_that_is_no_number_stops_the_training_and_keeps_the_last_good_weights(
    tmp_path, faulty_loss, factor, said
):
    import torch

    from advisor.execution import load_pruned

    from .digits import trained

    faulty_loss(lambda loss, images: loss * factor, call=3)  # the first batch of the second epoch
    record = go(tmp_path / "out")
    details = record.steps[0].details
    assert details["stopped"] == f"the loss became {said} in epoch 2"
    assert details["epochs"] == 1
    note = next(note for note in record.notes if "the training was stopped" in note)
    assert "Lower the learning rate, which was 0.01" in note
    assert "the loss became" in record.steps[0].done
    module = load_pruned(tmp_path / "out", trained())
    assert all(torch.isfinite(tensor).all() for tensor in module.state_dict().values())
    assert note in (tmp_path / "out" / "model_card.md").read_text()


def test_memory_that_does_not_suffice_elsewhere_is_told(tmp_path, monkeypatch):
    def fail(*_):
        raise MemoryError

    monkeypatch.setattr("advisor.execution.apply.set_out", fail)
    with pytest.raises(RunError, match="memory does not suffice"):
        go(tmp_path / "out")


def test_an_image_that_vanishes_midway_leaves_a_run_that_goes_on(tmp_path, monkeypatch):
    from advisor.execution import training

    data, out, aside = write_digits(tmp_path / "data", 200), tmp_path / "out", tmp_path / "aside"
    real = training.keep

    def keep(*args):  # after the first epoch the folder is moved away
        real(*args)
        data.rename(aside)

    monkeypatch.setattr(training, "keep", keep)
    monkeypatch.setattr("advisor.execution.images.CACHE_BYTES", 0)
    with pytest.raises(DataError, match="cannot read") as told:
        go(out, data=data)
    assert "--resume" in told.value.remedy
    assert not out.exists()
    monkeypatch.setattr(training, "keep", real)
    with pytest.raises(DataError):
        go(out, data=data, resume=True)
    aside.rename(data)
    assert go(out, data=data, resume=True).steps[0].details["epochs"] == 2


def test_a_run_that_had_done_nothing_yet_leaves_nothing(tmp_path, monkeypatch):
    def fail(*_):
        raise RunError("no", remedy="Do otherwise.")

    monkeypatch.setattr("advisor.execution.apply.set_out", fail)
    with pytest.raises(RunError, match=r"^no\. Do otherwise\.$"):
        go(tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
