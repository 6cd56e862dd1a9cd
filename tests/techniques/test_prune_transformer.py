"""Heads and hidden units really cut out of networks: the right ones, to the previewed widths, or a refusal."""

import pytest

from advisor.errors import NotApplicable
from advisor.techniques.prune_transformer.step import PruneTransformer

pytestmark = pytest.mark.real

BOTH = PruneTransformer(mlp_ratio=0.5, head_ratio=0.3, epochs=0)


def vision_transformer(**settings):
    import torch
    from timm.models.vision_transformer import VisionTransformer

    torch.manual_seed(0)
    plain = {"img_size": 16, "patch_size": 4, "num_classes": 5, "embed_dim": 32, "depth": 2, "num_heads": 4}
    return VisionTransformer(**{**plain, **settings}).eval()


def timm_model(name, **settings):
    import timm

    return timm.create_model(name, pretrained=False, num_classes=5, **settings).eval()


def cut(module, side, step=BOTH):
    """Return the change, and the profiles that were previewed and that came out."""
    from advisor.profiling import profile_module
    from advisor.techniques.prune_transformer.apply import apply
    from advisor.techniques.prune_transformer.preview import preview
    from advisor.techniques.subject import Subject

    shape = (1, 3, side, side)
    workload = profile_module(module, shape)
    change = apply(step, Subject(shape, folder=None, module=module, workload=workload))
    return change, preview(step, workload), profile_module(change.module, shape)


def counts(workload):
    return workload.macs, workload.params, {w.name: w.shape for w in workload.weights if w.counted}


FAMILIES = [
    ("vit_tiny_patch16_224", 64, {"img_size": 64, "depth": 2}, True),
    ("deit_tiny_distilled_patch16_224", 64, {"img_size": 64, "depth": 2}, True),
    ("deit3_small_patch16_224", 64, {"img_size": 64, "depth": 2}, True),  # with layer scale
    ("swin_tiny_patch4_window7_224", 56, {"img_size": 56, "depths": (1, 1)}, False),  # a bias table counts the heads
    ("swinv2_tiny_window8_256", 64, {"img_size": 64, "depths": (1, 1)}, False),  # an MLP computes that table
    ("beit_base_patch16_224", 32, {"img_size": 32, "depth": 1}, False),  # the keys have no bias of their own
    pytest.param("mobilevit_xs", 64, {}, True, marks=pytest.mark.study),
]


@pytest.mark.parametrize(("name", "side", "settings", "heads"), FAMILIES)
def test_known_families_are_cut_to_the_previewed_widths(name, side, settings, heads, tmp_path):
    import torch

    from advisor.execution.pruned import save_weights, with_weights

    module = timm_model(name, **settings)
    before = {path: tensor.shape for path, tensor in module.state_dict().items()}
    change, expected, actual = cut(module, side)
    assert counts(actual) == counts(expected)
    assert bool(change.details["heads"]) == heads
    assert change.details["hidden"]
    assert {path: tensor.shape for path, tensor in module.state_dict().items()} == before
    save_weights(change.module, module, tmp_path / "w.safetensors")
    images = torch.randn(2, 3, side, side)
    with torch.inference_mode():
        torch.testing.assert_close(with_weights(module, tmp_path / "w.safetensors")(images), change.module(images))


def test_heads_and_units_of_least_norm_go_with_their_rows_and_columns():
    import torch

    module = vision_transformer()
    block = module.blocks[1]
    with torch.no_grad():  # the second head and every other unit are the weakest
        block.attn.qkv.weight.view(3, 4, 8, 32)[:, 1] *= 0.01
        block.attn.proj.weight[:, 8:16] *= 0.01
        block.mlp.fc1.weight[::2] *= 0.01
        block.mlp.fc2.weight[:, ::2] *= 0.01
    change, _, _ = cut(module, 16, PruneTransformer(mlp_ratio=0.5, head_ratio=0.25, epochs=0))
    after, stay = change.module.blocks[1], [0, 2, 3]
    assert change.details["heads"] == {"blocks.0.attn.qkv": [4, 3], "blocks.1.attn.qkv": [4, 3]}
    assert (after.attn.num_heads, after.attn.attn_dim, after.attn.head_dim) == (3, 24, 8)
    pairs = [
        (after.attn.qkv.weight.view(3, 3, 8, 32), block.attn.qkv.weight.view(3, 4, 8, 32)[:, stay]),
        (after.attn.qkv.bias.view(3, 3, 8), block.attn.qkv.bias.view(3, 4, 8)[:, stay]),
        (after.attn.proj.weight.view(32, 3, 8), block.attn.proj.weight.view(32, 4, 8)[:, stay]),
        (after.mlp.fc1.weight, block.mlp.fc1.weight[1::2]),
        (after.mlp.fc1.bias, block.mlp.fc1.bias[1::2]),
        (after.mlp.fc2.weight, block.mlp.fc2.weight[:, 1::2]),
        (after.mlp.fc2.bias, block.mlp.fc2.bias),
    ]
    assert all(torch.equal(found, wanted) for found, wanted in pairs)


def test_without_the_silent_heads_and_units_a_network_answers_the_same():
    import torch

    module = vision_transformer()
    with torch.no_grad():
        for block in module.blocks:
            block.attn.proj.weight[:, :16] = 0
            block.attn.qkv.weight.view(3, 32, 32)[:, :16] = 0
            block.mlp.fc1.weight[64:] = 0
            block.mlp.fc2.weight[:, 64:] = 0
    change, _, _ = cut(module, 16, PruneTransformer(mlp_ratio=0.5, head_ratio=0.5, epochs=0))
    images = torch.randn(3, 3, 16, 16)
    with torch.inference_mode():
        torch.testing.assert_close(change.module(images), module(images), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("normed", [False, True])
def test_gates_shrink_with_what_they_gate(normed):
    from timm.layers import SwiGLU

    module = vision_transformer(mlp_layer=SwiGLU, scale_mlp_norm=normed, scale_attn_norm=normed)
    change, expected, actual = cut(module, 16)
    assert counts(actual) == counts(expected)
    mlp = change.module.blocks[0].mlp
    assert mlp.fc1_g.out_features == mlp.fc1_x.out_features == mlp.fc2.in_features == 64
    if normed:
        assert mlp.norm.normalized_shape == (64,)
        assert change.module.blocks[0].attn.norm.normalized_shape == (16,)


def attention(count, total, head=8):
    """Return a network with projections of their own; `count` and `total` name the number of heads and their width."""
    import torch
    from torch import nn

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.query, self.key, self.value, self.out = (nn.Linear(32, 32) for _ in range(4))
            setattr(self, count, 4)
            setattr(self, total, 32 if head > 0 else -1)

        def forward(self, x):
            x = x.flatten(2).transpose(1, 2)
            q, k, v = (
                part(x).reshape(*x.shape[:2], getattr(self, count), head).transpose(1, 2)
                for part in (self.query, self.key, self.value)
            )
            mixed = ((q @ k.transpose(2, 3)) / 8**0.5).softmax(-1) @ v
            return self.out(mixed.transpose(1, 2).reshape(*x.shape[:2], getattr(self, total))).mean(1)

    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 32, 4, 4), Attention(), nn.Linear(32, 5)).eval()


def test_projections_of_their_own_are_cut_together():
    change, expected, actual = cut(attention("num_attention_heads", "all_head_size"), 16)
    assert counts(actual) == counts(expected)
    made = change.module[1]
    assert made.query.weight.shape == made.key.weight.shape == made.value.weight.shape == (16, 32)
    assert made.out.weight.shape == (32, 16)
    assert (made.num_attention_heads, made.all_head_size) == (2, 16)


def torchvision_transformer():
    from torchvision.models import VisionTransformer

    return VisionTransformer(16, 4, num_layers=1, num_heads=4, hidden_dim=32, mlp_dim=64, num_classes=5).eval()


def derived_attention():
    import torch
    from torch import nn

    class Attention(nn.MultiheadAttention):
        def forward(self, x):
            x = x.flatten(2).transpose(1, 2)
            return super().forward(x, x, x, need_weights=False)[0].mean(1)

    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 32, 4, 4), Attention(32, 4, batch_first=True), nn.Linear(32, 5)).eval()


REFUSED = {
    "heads that fill the embedding": (derived_attention, BOTH, "is a MultiheadAttention"),
    "a fixed width": (lambda: attention("num_heads", "fixed"), BOTH, "does not run"),
    # as many MACs and parameters as planned, but in heads of another width
    "heads by a strange name": (lambda: attention("parts", "all_head_size", head=-1), BOTH, "not the planned one"),
    "nothing asked": (vision_transformer, PruneTransformer(epochs=0), "finds nothing to cut"),
    "too coarse": (vision_transformer, PruneTransformer(mlp_ratio=0.1, round_to=128, epochs=0), "finds nothing to cut"),
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_is_not_understood_is_refused(why):
    build, step, said = REFUSED[why]
    with pytest.raises(NotApplicable, match=said) as caught:
        cut(build(), 16, step)
    assert caught.value.remedy


def test_the_heads_of_torchs_own_attention_stay_and_the_mlp_is_narrowed():
    change, expected, actual = cut(torchvision_transformer(), 16)
    assert counts(actual) == counts(expected)
    assert change.details == {"heads": {}, "hidden": {"encoder.layers.encoder_layer_0.mlp.0": [64, 32]}}
    assert any("MultiheadAttention fill the embedding" in note for note in expected.notes)


def test_columns_that_do_not_belong_to_their_rows_are_noticed():
    from advisor.techniques.checking import check_answers

    module = vision_transformer()
    good, wrong = (cut(module, 16)[0].module for _ in range(2))
    check_answers("prune_transformer", good, good, (1, 3, 16, 16))
    wrong.blocks[0].mlp.fc2.weight.data = wrong.blocks[0].mlp.fc2.weight.data.flip(1)
    with pytest.raises(NotApplicable, match="not the planned one"):
        check_answers("prune_transformer", wrong, good, (1, 3, 16, 16))


def with_labels(module, side=16):
    import numpy as np

    from advisor.profiling import profile_module
    from advisor.techniques.subject import Subject

    def labelled():
        random = np.random.default_rng(0)
        for _ in range(3):
            yield random.standard_normal((8, 3, side, side), dtype=np.float32), random.integers(0, 5, 8)

    shape = (1, 3, side, side)
    return Subject(shape, None, module=module, workload=profile_module(module, shape), labelled=labelled)


def test_taylor_removes_what_the_loss_does_not_feel_and_norms_do_not_see():
    import torch

    from advisor.techniques.prune_transformer.apply import apply

    module = vision_transformer(depth=1)
    block = module.blocks[0]
    with torch.no_grad():  # of large norm, but nobody reads it
        block.mlp.fc1.weight[:64] *= 50
        block.mlp.fc2.weight[:, :64] = 0
        block.attn.qkv.weight.view(3, 4, 8, 32)[2, 3] *= 50
        block.attn.proj.weight[:, 24:] = 0
    step = PruneTransformer(mlp_ratio=0.5, head_ratio=0.25, epochs=0)
    images = torch.randn(3, 3, 16, 16)
    changes = {
        name: apply(step.model_copy(update={"criterion": name}), with_labels(module)) for name in ("taylor", "l2")
    }
    with torch.inference_mode():
        wanted = module(images)
        torch.testing.assert_close(changes["taylor"].module(images), wanted, rtol=1e-4, atol=1e-4)
        assert not torch.allclose(changes["l2"].module(images), wanted, atol=1e-2)
    assert "Taylor" in changes["taylor"].done


def test_a_random_choice_follows_the_seed():
    from dataclasses import replace

    import torch

    from advisor.techniques.prune_transformer.apply import apply

    step = PruneTransformer(mlp_ratio=0.5, criterion="random", epochs=0)
    given = with_labels(vision_transformer(depth=1))
    kernels = [apply(step, replace(given, seed=seed)).module.blocks[0].mlp.fc1.weight for seed in (1, 1, 2)]
    assert torch.equal(kernels[0], kernels[1])
    assert not torch.equal(kernels[0], kernels[2])


def test_taylor_without_labels_is_refused():
    with pytest.raises(NotApplicable, match="labelled images"):
        cut(vision_transformer(), 16, PruneTransformer(mlp_ratio=0.5, criterion="taylor", epochs=0))


def test_rounds_end_at_the_widths_of_one_round_and_layers_that_are_kept_stay():
    from advisor.profiling import profile_module
    from advisor.techniques.prune_transformer.apply import apply, resolve, rounds
    from advisor.techniques.prune_transformer.preview import preview

    given = with_labels(vision_transformer())
    step = PruneTransformer(mlp_ratio=0.5, head_ratio=0.5, iterations=3, epochs=4, keep=("blocks.0.mlp.fc1",))
    step = resolve(step, given)
    expected = preview(step, given.workload)
    for one in rounds(step):
        change = apply(one, given)
        given = with_labels(change.module)
        assert counts(given.workload)[0] >= expected.macs
    assert counts(profile_module(given.module, (1, 3, 16, 16))) == counts(expected)
    assert given.module.blocks[0].mlp.fc1.out_features == 128
    assert given.module.blocks[1].mlp.fc1.out_features == 64
    assert given.module.blocks[1].attn.num_heads == 2
    assert sum(one.epochs for one in rounds(step)) == 4
