"""Zeros where they belong, and still there after training."""

import pytest

pytestmark = pytest.mark.real


def network():
    import torch
    from torch import nn

    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.Flatten(), nn.Linear(128, 4)).eval()


def sparse(module, **settings):
    from advisor.profiling import profile_module
    from advisor.techniques.sparsify.apply import apply
    from advisor.techniques.sparsify.step import Sparsify
    from advisor.techniques.subject import Subject

    shape = (1, 3, 8, 8)
    workload = profile_module(module, shape, name="net", source="")
    return apply(Sparsify(epochs=0, **settings), Subject(shape, folder=None, module=module, workload=workload))


def trained_and_settled(module):
    import torch

    from advisor.techniques.sparsify.masks import settle

    optimizer = torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01)
    for _ in range(3):
        optimizer.zero_grad()
        module(torch.randn(4, 3, 8, 8)).square().mean().backward()
        optimizer.step()
    settle(module)
    return module


@pytest.mark.parametrize("sparsity", [0.5, 0.8])
def test_the_smallest_weights_become_zero_and_stay_zero(sparsity):
    before = network()
    module = trained_and_settled(sparse(before, sparsity=sparsity).module)
    for place in (0, 2, 4):
        kernel, old = module[place].weight.detach(), before[place].weight.detach().abs()
        gone = kernel == 0
        assert float(gone.float().mean()) == pytest.approx(sparsity, abs=0.01)
        assert old[gone].max() <= old[~gone].min()
    assert set(module.state_dict()) == set(before.state_dict())


def test_two_of_every_four_input_channels_stay():
    change = sparse(network(), pattern="2:4")
    module = trained_and_settled(change.module)
    assert bool((module[0].weight != 0).all())  # three channels make no group of four
    kernel = module[2].weight.detach().movedim(1, -1).reshape(8, 3, 3, 2, 4)
    assert bool(((kernel != 0).sum(-1) == 2).all())
    assert change.details["layers"] == 2
    assert change.details["zeros"] * 2 == change.details["weights"]


def test_zeros_grow_by_the_cubic_schedule_and_none_comes_back():
    from dataclasses import replace

    from advisor.profiling import profile_module
    from advisor.techniques.sparsify.apply import apply, rounds
    from advisor.techniques.sparsify.step import Sparsify
    from advisor.techniques.subject import Subject

    shape, module = (1, 3, 8, 8), network()
    given = Subject(shape, folder=None, module=module, workload=profile_module(module, shape))
    step, shares, gone = Sparsify(sparsity=0.8, iterations=3, epochs=5), [], None
    for one in rounds(step):
        module = trained_and_settled(apply(one, given).module)
        given = replace(given, module=module)
        zeros = module[2].weight.detach() == 0
        assert gone is None or bool((zeros | ~gone).all())
        gone = zeros
        shares.append(float(zeros.float().mean()))
    assert shares == pytest.approx([0.8 * 19 / 27, 0.8 * 26 / 27, 0.8], abs=0.01)
    assert [one.epochs for one in rounds(step)] == [1, 2, 2]
    assert step.label == "80% unstructured sparsity in 3 rounds"


def test_two_of_four_is_no_gradual_pattern():
    from advisor.errors import NotApplicable
    from advisor.techniques.sparsify.apply import needs
    from advisor.techniques.sparsify.step import Sparsify

    with pytest.raises(NotApplicable, match="in one round"):
        needs(Sparsify(pattern="2:4", sparsity=0.5, iterations=2))
