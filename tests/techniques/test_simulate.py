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

    from advisor.techniques.qat.simulate import simulate

    module = network()
    with torch.no_grad():
        module[0].weight[0] *= 20  # a channel that alone decides a common grid
    assert simulate(module, per_channel=per_channel, symmetric=False) == 2
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

    from advisor.techniques.qat.simulate import restore, simulate

    module, batch = network(), torch.randn(2, 3, 8, 8)
    names, plain = set(module.state_dict()), module(batch)
    simulate(module, per_channel=True, symmetric=False)
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

    from advisor.techniques.qat.simulate import simulate

    module, batch = network(), torch.randn(2, 3, 8, 8)
    simulate(module, per_channel=True, symmetric=False)
    twin = copy.deepcopy(module).train()
    twin(batch)
    assert float(twin[0].input_rounding.batches) == 1
    assert float(module[0].input_rounding.batches) == 0
