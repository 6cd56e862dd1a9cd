"""Heads and hidden widths of a hand-made block."""

import pytest

from advisor.schema import OpKind
from advisor.techniques.prune_transformer.preview import preview
from advisor.techniques.prune_transformer.step import PruneTransformer
from advisor.techniques.transformer import attention_projections, transformer_blocks

from .builder import Net, residual, shapes, transformer


def test_the_projection_and_its_heads_are_found():
    workload = transformer(heads=4, width=32)
    (index,) = attention_projections(workload)
    assert workload.ops[index].module == "qkv"
    assert attention_projections(workload)[index] == (4, 8)


def test_a_convolutional_net_has_neither_heads_nor_hidden_units():
    blocks = transformer_blocks(residual())
    assert (blocks.heads, blocks.hidden) == ((), ())


def test_removed_heads_shrink_the_projections_and_attention():
    before, after = transformer(), preview(PruneTransformer(head_ratio=0.5), transformer())
    assert shapes(after)["qkv.weight"] == (48, 32)
    assert shapes(after)["qkv.bias"] == (48,)
    assert shapes(after)["proj.weight"] == (32, 16)
    assert shapes(after)["fc1.weight"] == shapes(before)["fc1.weight"]
    attention = next(op for op in after.ops if op.kind is OpKind.ATTENTION)
    assert attention.macs == 2 * 2 * 4 * 4 * 8
    assert attention.attrs["heads"] == 2


def test_narrow_mlps_keep_the_embedding():
    after = preview(PruneTransformer(mlp_ratio=0.5, round_to=8), transformer())
    assert shapes(after)["fc1.weight"] == (64, 32)
    assert shapes(after)["fc2.weight"] == (32, 64)
    assert shapes(after)["proj.weight"] == (32, 32)
    assert after.macs == transformer().macs - 2 * 4 * 64 * 32


def test_attention_spelt_out_is_recognised():
    net = Net(1, 4, 32)
    heads = [net.view(net.linear(0, name, 32), "reshape", 1, 4, 4, 8) for name in ("q", "k", "v")]
    q, k, v = (net.view(x, "permute", 1, 4, 4, 8, dims=(0, 2, 1, 3)) for x in heads)
    keys = net.view(k, "permute", 1, 4, 8, 4, dims=(0, 1, 3, 2))
    scores = net.op(OpKind.MATMUL, (q, keys), 1, 4, 4, 4, macs=512)
    weights = net.op(OpKind.SOFTMAX, (scores,), 1, 4, 4, 4, dim=3)
    x = net.op(OpKind.MATMUL, (weights, v), 1, 4, 4, 8, macs=512)
    x = net.view(net.view(x, "permute", 1, 4, 4, 8, dims=(0, 2, 1, 3)), "reshape", 1, 4, 32)
    net.linear(x, "proj", 32)
    after = preview(PruneTransformer(head_ratio=0.25), net.done())
    assert shapes(after)["q.weight"] == shapes(after)["k.weight"] == shapes(after)["v.weight"] == (24, 32)
    assert shapes(after)["proj.weight"] == (32, 24)
    assert [op.macs for op in after.ops if op.kind is OpKind.MATMUL] == [384, 384]


@pytest.mark.parametrize("ratio", [0.1, 0.3, 0.6, 0.9])
def test_at_least_one_head_stays(ratio):
    after = preview(PruneTransformer(head_ratio=ratio), transformer(heads=2))
    assert next(op for op in after.ops if op.kind is OpKind.ATTENTION).attrs["heads"] in (1, 2)
