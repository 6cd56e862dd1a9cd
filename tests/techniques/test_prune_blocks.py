"""Whole blocks really taken out of networks: the right ones, to the previewed counts, or a refusal."""

import pytest

from advisor.errors import NotApplicable
from advisor.techniques.prune_blocks.finding import removable_blocks
from advisor.techniques.prune_blocks.preview import preview
from advisor.techniques.prune_blocks.step import PruneBlocks

from .builder import NETS, Net, case, path, plain

SHAPE = (2, 3, 16, 16)


def chain(count=4):
    """Residual blocks of 16 channels one after the other, in module paths 'b0', 'b1', ..."""
    net = Net(1, 3, 8, 8)
    x = net.block(0, "stem", 16)
    for i in range(count):
        inner = net.bn(net.conv(net.block(x, f"b{i}.one", 16), f"b{i}.two.conv", 16), f"b{i}.two.bn")
        x = net.add(inner, x)
        net.ops[-1] = net.ops[-1].model_copy(update={"module": f"b{i}"})
    net.linear(net.mean(x), "fc", 10)
    workload = net.done()
    for op in workload.ops:  # activations of the builder carry no path of their block
        if op.module.startswith("activation"):
            index = workload.ops[op.index - 2].module.rsplit(".", 1)[0]
            net.ops[op.index] = op.model_copy(update={"module": index})
    return net.done()


def test_blocks_are_found_in_order_and_gone_from_the_preview():
    workload = chain()
    assert [block.path for block in removable_blocks(workload)] == ["b0", "b1", "b2", "b3"]
    after = preview(PruneBlocks(ratio=0.5, blocks=("b1", "b2")), workload)
    one = 2 * 16 * 16 * 9 * 64
    assert after.macs == workload.macs - 2 * one
    assert {w.name.split(".")[0] for w in after.weights} == {"stem", "b0", "b3", "fc"}
    assert all(t in after.tensor for op in after.ops for t in (*op.inputs, *op.outputs))


def test_before_they_are_chosen_blocks_are_spread_evenly_and_the_note_says_so():
    after = preview(PruneBlocks(ratio=0.5), chain())
    assert after.macs == preview(PruneBlocks(ratio=0.5, blocks=("b0", "b1")), chain()).macs
    assert "measured on the network" in after.notes[-1]


def test_blocks_that_are_kept_stay():
    after = preview(PruneBlocks(ratio=0.9, keep=("b0",)), chain())
    assert "b0.one.conv.weight" in after.weight


def test_unknown_blocks_are_refused_by_name():
    with pytest.raises(NotApplicable, match="stem is no block") as caught:
        preview(PruneBlocks(ratio=0.5, blocks=("stem",)), chain())
    assert "b0, b1" in str(caught.value.where)


@pytest.mark.parametrize("net", NETS)
def test_few_blocks_are_no_choice_and_none_no_proposal(net):
    from advisor.techniques.prune_blocks.propose import propose

    assert propose(case(NETS[net](), kind="latency"), path()) == ()
    assert removable_blocks(plain()) == ()


@pytest.mark.parametrize(
    ("goal", "count"),
    [
        ({"kind": "latency"}, 1),
        ({}, 0),
        ({"kind": "latency", "batch": 8}, 0),
        ({"kind": "latency", "budget": "calibration"}, 0),
        ({"kind": "latency", "limits": ({"metric": "accuracy_delta_pp", "bound": 1},)}, 0),
    ],
)
def test_it_is_proposed_only_where_its_unknown_cost_is_no_objection(goal, count):
    from advisor.techniques.prune_blocks.propose import propose

    assert len(propose(case(chain(), **goal), path())) == count


# Real networks -----------------------------------------------------------------------------------------------


def transformer(depth=4):
    import torch
    from timm.models.vision_transformer import VisionTransformer

    torch.manual_seed(0)
    return VisionTransformer(img_size=16, patch_size=4, num_classes=5, embed_dim=32, depth=depth, num_heads=4).eval()


def mobile():
    import timm
    import torch

    torch.manual_seed(0)
    return timm.create_model("mobilenetv2_050", num_classes=5).eval()


def residual():
    from timm.models.resnet import BasicBlock, ResNet

    return ResNet(BasicBlock, (3, 2, 1, 1), channels=(8, 16, 16, 16), num_classes=5, zero_init_last=False).eval()


REAL = {"transformer": transformer, "mobile": mobile, "residual": residual}


def subject(module, calibration=None, seed=0):
    from pathlib import Path

    from advisor.profiling import profile_module
    from advisor.techniques.subject import Subject

    workload = profile_module(module, SHAPE)
    return Subject(SHAPE, Path(), module=module, workload=workload, calibration=calibration, seed=seed)


@pytest.mark.real
@pytest.mark.parametrize("criterion", ["output_change", "random"])
@pytest.mark.parametrize("net", REAL)
def test_the_real_network_equals_the_preview_of_the_resolved_step(net, criterion, tmp_path):
    import torch

    from advisor.execution.pruned import save_weights, with_weights
    from advisor.profiling import peak_activation_bytes, profile_module
    from advisor.techniques.prune_blocks.apply import apply, resolve

    given = subject(REAL[net]())
    step = resolve(PruneBlocks(ratio=0.5, criterion=criterion, epochs=0), given)
    change = apply(step, given)
    expected, actual = preview(step, given.workload), profile_module(change.module, SHAPE)
    assert (actual.macs, actual.params) == (expected.macs, expected.params)
    assert actual.macs < given.workload.macs
    assert peak_activation_bytes(actual) == peak_activation_bytes(expected)
    assert change.details["blocks"] == list(step.blocks)
    assert change.details["measured_on"] == "noise"
    assert f"{1 - actual.macs / given.workload.macs:.0%} of MACs" in change.done
    save_weights(change.module, given.module, tmp_path / "w.safetensors")
    images = torch.randn(SHAPE)
    with torch.inference_mode():
        again = with_weights(given.module, tmp_path / "w.safetensors")(images)
        torch.testing.assert_close(again, change.module(images))


@pytest.mark.real
@pytest.mark.parametrize("with_images", [True, False])
def test_the_block_that_adds_nothing_goes_and_nothing_changes(with_images):
    import numpy as np
    import torch

    from advisor.techniques.prune_blocks.apply import apply

    module = transformer()
    with torch.no_grad():
        for layer in (module.blocks[2].attn.proj, module.blocks[2].mlp.fc2):
            layer.weight.zero_()
            layer.bias.zero_()
    asked = []

    def calibration(count):
        asked.append(count)
        yield from (np.random.default_rng(i).standard_normal(SHAPE, dtype=np.float32) for i in range(4))

    change = apply(PruneBlocks(ratio=0.25, epochs=0), subject(module, calibration if with_images else None))
    assert change.details["blocks"] == ["blocks.2"]
    assert change.details["output_change"] == 0
    assert bool(asked) == with_images
    images = torch.randn(SHAPE)
    with torch.inference_mode():
        torch.testing.assert_close(change.module(images), module(images))


@pytest.mark.real
def test_random_blocks_follow_the_seed():
    from advisor.techniques.prune_blocks.apply import resolve

    step = PruneBlocks(ratio=0.5, criterion="random")
    found = [resolve(step, subject(transformer(8), seed=seed)).blocks for seed in (1, 1, 2)]
    assert found[0] == found[1] != found[2]


@pytest.mark.real
def test_a_network_without_blocks_is_refused():
    from torch import nn

    from advisor.techniques.prune_blocks.apply import apply

    module = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5)).eval()
    with pytest.raises(NotApplicable, match="no block that can go"):
        apply(PruneBlocks(ratio=0.5, epochs=0), subject(module))


@pytest.mark.real
def test_a_block_whose_insides_are_read_from_outside_stays():
    import torch
    from torch import nn

    from advisor.techniques.prune_blocks.apply import resolve

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 3, 3, padding=1)

        def forward(self, x):
            return x + self.conv(x)

    class Reads(nn.Sequential):
        def forward(self, x):
            return super().forward(x).mean((2, 3)) * len(self[0].conv.weight)

    torch.manual_seed(0)
    step = resolve(PruneBlocks(ratio=0.9), subject(Reads(*(Block() for _ in range(3))).eval()))
    assert step.blocks == ("1", "2")
