import copy

import pytest

from tests.execution.digits import build, digits_dir, grey, trained

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def data():
    from advisor.execution.data import open_data

    return open_data(digits_dir(), 10)


@pytest.fixture(scope="module")
def reader():
    from advisor.execution.images import ImageReader

    return ImageReader(grey(), 1)


def test_training_learns_and_only_sees_the_training_images(data, reader, monkeypatch):
    import torch

    from advisor.execution.training import Training, fine_tune, validation_top1

    seen = set()
    original = type(reader).batch
    monkeypatch.setattr(type(reader), "batch", lambda self, items: seen.update(items) or original(self, items))
    torch.manual_seed(0)
    module = build()
    result = fine_tune(module, data.train, reader, Training(epochs=2, learning_rate=0.1))
    assert seen <= set(data.train)
    assert result.before < 30
    assert result.best > 50
    assert not module.training
    monkeypatch.undo()
    assert validation_top1(module, data.test, reader) > 50


def test_the_best_weights_are_kept_when_training_harms(data, reader):
    import torch

    from advisor.execution.training import Training, fine_tune

    module = copy.deepcopy(trained())
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    result = fine_tune(module, data.train[:200], reader, Training(epochs=4, learning_rate=50.0, patience=2))
    assert result.best_epoch == 0
    assert result.epochs == 2  # patience
    assert all(torch.equal(before[name], tensor) for name, tensor in module.state_dict().items())


def test_the_same_seed_gives_the_same_weights_and_leaves_global_randomness_alone(data, reader):
    import torch

    from advisor.execution.training import Training, fine_tune

    results = []
    for noise in (1, 2):
        torch.manual_seed(7)
        module = build()
        torch.manual_seed(noise)
        state = torch.get_rng_state()
        fine_tune(module, data.train[:200], reader, Training(epochs=1, seed=3), teacher=trained())
        assert torch.equal(state, torch.get_rng_state())
        results.append(module.state_dict())
    assert all(torch.equal(a, b) for a, b in zip(results[0].values(), results[1].values(), strict=True))


def test_batch_norm_statistics_become_those_of_the_images(data, reader):
    import torch

    from advisor.techniques.batch_norm import reestimate

    module = copy.deepcopy(trained())
    for name, buffer in module.named_buffers():
        if "running" in name:
            buffer.fill_(3.0)
    images = reader.batch(data.train[:64])
    assert reestimate(module, [images[:32], images[32:]]) == 4
    with torch.no_grad():
        first = module[0](torch.from_numpy(images))
    halves = (first[:32].mean((0, 2, 3)) + first[32:].mean((0, 2, 3))) / 2
    torch.testing.assert_close(module[1].running_mean, halves, atol=1e-5, rtol=1e-4)
    assert module[1].momentum == 0.1
    assert not module.training


def test_without_images_statistics_stay(data, reader):
    import torch

    from advisor.techniques.batch_norm import reestimate

    module = copy.deepcopy(trained())
    before = module[1].running_var.clone()
    assert reestimate(module, []) == 0
    assert torch.equal(before, module[1].running_var)
