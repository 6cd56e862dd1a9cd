"""Objectives that look inside networks: what the hooks find, what is compared, and what is left behind."""

import numpy as np
import pytest

from advisor.errors import NotApplicable
from advisor.techniques.distil.presets import load_presets, preset

from .taught import grey, made, stages

pytestmark = pytest.mark.real


def test_stages_are_paired_by_their_cells():
    from advisor.techniques.distil.objectives.places import pairs

    found = pairs(stages(4, 6, 8), stages(16, 24, 32), grey())
    assert [(a.side, a.channels, b.channels) for a, b in found] == [
        ((16, 16), 4, 16),
        ((8, 8), 6, 24),
        ((4, 4), 8, 32),
    ]
    assert [a.name for a, _ in found] == ["0", "1", "2"]


@pytest.mark.parametrize("name", ["resnet18", "lcnet_050", "mobilenetv3_small_050", "regnetx_002", "convnext_atto"])
def test_real_networks_give_one_place_a_size(name):
    import timm
    import torch

    from advisor.techniques.distil.objectives.places import embedding, places

    module = timm.create_model(name, num_classes=5).train()
    before = {key: value.clone() for key, value in module.state_dict().items()}
    found = places(module, torch.zeros(2, 3, 64, 64))
    assert 3 <= len({place.side for place in found}) == len(found)
    assert module.get_submodule(embedding(module, torch.zeros(2, 3, 64, 64)) or "") is module.get_classifier()
    assert module.training
    assert all(torch.equal(before[key], value) for key, value in module.state_dict().items())
    assert not any(layer._forward_hooks for layer in module.modules())


def test_a_transformer_gives_three_of_its_blocks_and_tokens_are_a_map():
    import timm
    import torch

    from advisor.techniques.distil.objectives.places import as_map, pairs, places

    module = timm.create_model("vit_tiny_patch16_224", img_size=64, patch_size=16, depth=6)
    found = places(module, torch.zeros(1, 3, 64, 64))
    assert [place.name for place in found] == ["blocks.1", "blocks.3", "blocks.5"]
    assert found[0].side == (4, 4)
    tokens = torch.arange(2 * 5 * 3, dtype=torch.float32).reshape(2, 5, 3)  # a class token and four patches
    assert torch.equal(as_map(tokens)[0, :, 0, 1], tokens[0, 2])
    swin = torch.zeros(1, 7, 7, 96)
    assert as_map(swin).shape == (1, 96, 7, 7)
    assert as_map(torch.zeros(1, 96, 1, 1)) is None
    assert as_map(torch.zeros(3, 10)) is None
    cnn = timm.create_model("lcnet_050", num_classes=5)
    assert [a.side for a, _ in pairs(cnn, module, torch.zeros(1, 3, 64, 64))] == [(4, 4)]


def test_networks_without_maps_of_like_size_are_not_compared():
    import torch
    from torch import nn

    from advisor.techniques.distil.objectives.places import pairs

    flat = nn.Sequential(nn.Flatten(), nn.Linear(32 * 32, 8), nn.ReLU(), nn.Linear(8, 4))
    with pytest.raises(NotApplicable, match="like size"):
        pairs(flat, stages(4, 8), torch.zeros(2, 1, 32, 32))


def test_attention_is_that_by_hand():
    import torch

    from advisor.techniques.distil.objectives.attention import Attention

    torch.manual_seed(0)
    student, teacher, images = stages(4, 6).eval(), stages(8, 12).eval(), grey()
    term = Attention(student, teacher, images)
    term_value = float(term(student(images), teacher(images), None))

    def looks(found):
        found = (found.detach().numpy() ** 2).mean(1).reshape(len(found), -1)
        return found / np.linalg.norm(found, axis=1, keepdims=True)

    wanted = 0.0
    for depth in (1, 2):
        mine, theirs = (looks(network[:depth](images)) for network in (student, teacher))
        wanted += ((mine - theirs) ** 2).mean()
    assert term_value == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize(("aligned", "width", "adapted"), [(False, 6, True), (True, 6, False), (True, 5, True)])
def test_a_hint_is_seen_through_an_adapter_where_widths_mean_different_things(aligned, width, adapted):
    import torch

    torch.manual_seed(0)
    student, teacher = stages(3, width), stages(3, 6)
    teaching = preset("hint")
    objective = made(teaching, student, teacher, grey(), aligned=aligned)
    sizes = [tuple(tensor.shape) for tensor in objective.parameters()]
    assert sizes == ([(6, width, 1, 1)] if adapted else [])
    loss = objective(student, teacher, grey(), torch.tensor([0, 1, 2, 3]))
    loss.backward()
    assert student[1][0].weight.grad.abs().sum() > 0
    assert all(tensor.grad.abs().sum() > 0 for tensor in objective.parameters())
    student.eval(), teacher.eval()
    said, wanted = student[:2](grey()), teacher[:2](grey())
    apart = float((objective.term.adapter(said) - wanted).square().mean())
    hard = float(torch.nn.functional.cross_entropy(student(grey()), torch.tensor([0, 1, 2, 3])))
    found = float(objective(student, teacher, grey(), torch.tensor([0, 1, 2, 3])))
    assert found == pytest.approx(0.5 * hard + 0.5 * 100 * apart, rel=1e-4)


@pytest.mark.parametrize("name", ["hint", "attention", "relation"])
def test_teaching_by_what_is_inside_brings_the_student_nearer_and_leaves_no_hook(name):
    import copy

    import torch

    torch.manual_seed(0)
    student, teacher = stages(4, 6, 8), stages(6, 12, 16)
    teacher.eval().requires_grad_(False)
    before = copy.deepcopy(teacher.state_dict())
    images, labels = grey(count=16), torch.arange(16) % 4
    objective = made(preset(name).model_copy(update={"alpha": 1.0}), student, teacher, images)
    optimizer = torch.optim.Adam([*student.parameters(), *objective.parameters()], lr=0.01)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = objective(student, teacher, images, labels)
        loss.backward()
        optimizer.step()
        losses.append(float(loss))
    assert losses[-1] < 0.6 * losses[0]
    assert all(torch.equal(before[key], value) for key, value in teacher.state_dict().items())
    assert not any(key.startswith(("student", "teacher")) for key in objective.state_dict())
    objective.close()
    for network in (student, teacher):
        assert not any(layer._forward_hooks or layer._forward_pre_hooks for layer in network.modules())


@pytest.mark.parametrize("name", sorted(load_presets()))
def test_sixteen_bit_arithmetic_leaves_loss_and_gradients_finite(name):
    import torch

    torch.manual_seed(0)
    student, teacher, images = stages(4, 6), stages(6, 12), 8 * grey(count=8)
    teacher[-1].weight.data *= 1000  # logits that half precision would not square
    objective = made(preset(name), student, teacher.eval().requires_grad_(False), images)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = objective(student, teacher, images, torch.arange(8) % 4)
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(tensor.grad).all() for tensor in student.parameters() if tensor.grad is not None)


def cut(technique):
    """Return a network and what the step of a technique makes of it."""
    from importlib import import_module
    from pathlib import Path

    import torch

    from advisor.profiling import profile_module
    from advisor.techniques.low_rank.step import LowRank
    from advisor.techniques.prune_channels.step import PruneChannels
    from advisor.techniques.qat.step import QAT
    from advisor.techniques.subject import Subject

    step = {
        "prune_channels": PruneChannels(ratio=0.5),
        "qat": QAT(),
        "low_rank": LowRank(method="spatial_svd", rank_ratio=0.5),
    }[technique]
    torch.manual_seed(0)
    network, shape = stages(32, 64).eval(), (1, 1, 16, 16)
    apply = import_module(f"advisor.techniques.{technique}.apply")
    subject = Subject(
        shape,
        Path(),
        module=network,
        workload=profile_module(network, shape),
        calibration=lambda count: iter([grey(16, 1).numpy()] * min(count, 2)),
    )
    step = apply.resolve(step, subject) if hasattr(apply, "resolve") else step
    return network.requires_grad_(False), apply.apply(step, subject).module


@pytest.mark.parametrize("technique", ["prune_channels", "qat", "low_rank"])
@pytest.mark.parametrize("name", ["usual", "features", "attention"])
def test_a_network_made_from_the_original_learns_from_it_again(technique, name):
    import torch

    from advisor.techniques.distil.objectives.recovery import recovery_objective

    network, changed = cut(technique)
    changed.requires_grad_(True).train()
    objective = recovery_objective(changed, network, grey(16, 8), torch.nn.functional.cross_entropy, name=name)
    adapters = list(objective.parameters())
    assert bool(adapters) == (technique == "prune_channels" and name == "features")  # equally wide layers mean the same
    objective(changed, network, grey(16, 8), torch.arange(8) % 4).backward()
    assert sum(float(tensor.grad.abs().sum()) for tensor in changed.parameters() if tensor.grad is not None) > 0
    objective.close()
