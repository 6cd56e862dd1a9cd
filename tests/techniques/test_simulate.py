"""Rounding during training: on the grid of the int8 file, with gradients, and gone without a trace afterwards."""

import pytest

pytestmark = pytest.mark.real


def network():
    import torch
    from torch import nn

    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(288, 4)).eval()


@pytest.mark.parametrize(("per_channel", "steps"), [(True, 8), (False, 1)])
def test_weights_lie_on_a_grid_of_255_steps(per_channel, steps):
    import torch

    from advisor.techniques.qat.simulate import Grid, simulate

    module = network()
    with torch.no_grad():
        module[0].weight[0] *= 20  # a channel that alone decides a common grid
    assert simulate(module, Grid(per_channel=per_channel, symmetric=False)) == 2
    rows = module[0].weight.detach().flatten(1)
    limit = rows.abs().amax(1 if per_channel else None, keepdim=True) / 127
    grid = rows / limit
    torch.testing.assert_close(grid, grid.round(), rtol=0, atol=1e-3)
    values = len(torch.unique(grid[1].round()))
    assert values > 20 if per_channel else values <= 14


@pytest.mark.parametrize("symmetric", [True, False])
def test_the_range_of_inputs_follows_training_and_rests_in_evaluation(symmetric):
    import torch

    from advisor.techniques.qat.simulate import InputRounding

    rounding = InputRounding(symmetric).train()
    rounding(torch.tensor([-1.0, 2.0]))
    assert (float(rounding.low), float(rounding.high)) == (-1, 2)
    rounding(torch.tensor([-1.0, 4.0]))
    assert 2 < float(rounding.high) < 4
    rounding.eval()
    before = float(rounding.high)
    shown = rounding(torch.tensor([100.0, 0.0]))
    assert float(rounding.high) == before
    assert float(shown[0]) == pytest.approx(before, rel=0.02)  # beyond the range values are cut off
    assert float(shown[1]) == 0  # zero is exact


def test_gradients_reach_the_weights_and_nothing_stays_behind():
    import torch

    from advisor.techniques.qat.simulate import Grid, restore, simulate

    module, batch = network(), torch.randn(2, 3, 8, 8)
    names, plain = set(module.state_dict()), module(batch)
    simulate(module, Grid(per_channel=True, symmetric=False))
    rounded = module.train()(batch)
    rounded.square().sum().backward()
    weights = module[0].parametrizations["weight"].original
    assert weights.grad is not None
    assert weights.grad.abs().sum() > 0
    restore(module.eval())
    assert set(module.state_dict()) == names
    assert not torch.equal(rounded, plain)
    module.zero_grad(set_to_none=True)
    assert module[0].weight.requires_grad
    assert not module[0]._forward_pre_hooks


def test_a_copy_of_a_rounding_network_rounds_by_itself():
    import copy

    import torch

    from advisor.techniques.qat.simulate import Grid, simulate

    module, batch = network(), torch.randn(2, 3, 8, 8)
    simulate(module, Grid(per_channel=True, symmetric=False))
    twin = copy.deepcopy(module).train()
    twin(batch)
    assert float(twin[0].input_rounding.batches) == 1
    assert float(module[0].input_rounding.batches) == 0


@pytest.mark.parametrize(("settings", "steps"), [({"seven_bits": True}, 64), ({}, 127)])
def test_seven_bits_are_half_the_steps(settings, steps):
    import torch

    from advisor.techniques.qat.simulate import WeightRounding

    kernel = torch.linspace(-1, 1, 1001).view(1, -1)
    assert len(torch.unique(WeightRounding(per_channel=True, **settings)(kernel))) == 2 * steps + 1


@pytest.mark.parametrize("per_channel", [True, False])
def test_power_of_two_scales_are_those_of_the_file(per_channel):
    import numpy as np
    import torch

    from advisor.techniques.qat.simulate import InputRounding, WeightRounding
    from advisor.techniques.static_int8.powers import nearest

    torch.manual_seed(0)
    kernel = torch.randn(6, 40) * torch.logspace(-2, 1, 6)[:, None]
    rounded = WeightRounding(per_channel, power_of_two=True)(kernel)
    for index, row in enumerate(kernel.numpy()):
        scale = nearest(row if per_channel else kernel.numpy(), 127)
        expected = np.clip(np.rint(row / scale), -127, 127) * scale
        np.testing.assert_allclose(rounded[index].numpy(), expected, atol=1e-6)
    shown = InputRounding(symmetric=False, power_of_two=True).train()(torch.tensor([-3.0, 0.02, 1.0]))
    assert shown.tolist() == [-3.0, 0.03125, 1.0]  # a step of 2^-5 reaches 3.97


def test_norms_are_estimated_anew_with_rounding_and_nothing_else_changes():
    import torch

    from advisor.techniques.qat.apply import after_training
    from advisor.techniques.qat.step import QAT

    module = network()
    batches = [torch.randn(16, 3, 8, 8).numpy() * 3 + 1 for _ in range(3)]
    before = {name: value.clone() for name, value in module.state_dict().items()}
    after_training(QAT(norms="frozen"), module, iter(batches))
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    after_training(QAT(), module, iter(batches))
    changed = {name for name, value in module.state_dict().items() if not torch.equal(value, before[name])}
    assert changed == {"1.running_mean", "1.running_var", "1.num_batches_tracked"}
    convolved = module[0](torch.from_numpy(batches[0]))
    torch.testing.assert_close(module[1].running_mean, convolved.mean((0, 2, 3)), rtol=0.2, atol=0.2)


def test_norms_rest_in_the_last_third():
    from advisor.techniques.qat.apply import training
    from advisor.techniques.qat.step import QAT

    assert training(QAT(epochs=15, norms="frozen"))["freeze_norms_after"] == 10
    assert "freeze_norms_after" not in training(QAT(epochs=2, norms="frozen"))
    assert training(QAT(epochs=15)) == {"mixed_precision": False}
