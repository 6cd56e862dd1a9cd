"""Compact, searched, wide and re-parameterised networks, on either side of the published thresholds."""

import pytest

from advisor.facts.traits import load_traits, trait_facts
from advisor.schema import Op, OpKind, Tensor, Weight, Workload

TRAITS = load_traits()


def net(params: int, name: str = "net", modules: dict[str, str] | None = None, **macs: int) -> Workload:
    """One operation for every kind named, and all parameters in the first."""
    ops = tuple(
        Op(index=i, kind=OpKind(kind), name=kind, inputs=(0,), outputs=(0,), weights=("w",), macs=count)
        for i, (kind, count) in enumerate(macs.items())
    )
    return Workload(
        name=name, inputs=(0,), outputs=(0,), ops=ops, tensors=(Tensor(id=0, shape=(1, 3, 8, 8)),),
        weights=(Weight(name="w", shape=(params,), role="weight"),), modules=modules or {}, format="torch",
    )  # fmt: skip


SMALL = int(TRAITS.compact.depthwise_below_params)
WIDE = int(TRAITS.overparameterised.above_params)
SHARE = TRAITS.overparameterised.dense_convolution_share


@pytest.mark.parametrize(
    ("workload", "family", "compact"),
    [
        (net(SMALL - 1, conv=9, conv_depthwise=1), "residual_cnn", True),
        (net(SMALL, conv=9, conv_depthwise=1), "residual_cnn", False),
        (net(SMALL - 1, conv=9), "residual_cnn", False),
        (net(SMALL, conv_depthwise=1), "depthwise_cnn", True),
        (net(SMALL, name="timm:mobilenetv3_large_100", conv=9), "other", True),
        (net(SMALL, modules={"": "MobileNetV3"}, conv=9), "other", True),
    ],
    ids=["small depthwise", "large depthwise", "small dense", "by family", "by name", "by class"],
)
def test_compact_nets_are_small_with_depthwise_layers_or_searched(workload, family, compact):
    assert trait_facts(workload, family)["model.is_compact"] is compact


@pytest.mark.parametrize(
    ("params", "family", "dense", "wide"),
    [
        (WIDE + 1, "plain_cnn", SHARE + 0.05, True),
        (WIDE, "plain_cnn", SHARE + 0.05, False),
        (WIDE + 1, "vit", SHARE + 0.05, False),
        (WIDE + 1, "residual_cnn", SHARE - 0.05, False),
    ],
    ids=["wide", "not large", "no such family", "linear layers instead"],
)
def test_wide_classic_nets_are_large_and_spend_their_macs_in_dense_convolutions(params, family, dense, wide):
    workload = net(params, conv=round(1000 * dense), linear=1000 - round(1000 * dense))
    assert trait_facts(workload, family)["model.overparameterised"] is wide


@pytest.mark.parametrize(
    ("modules", "state"),
    [
        ({"stem": "ConvNormAct"}, "none"),
        ({"stem": "RepVggBlock"}, "training"),
        ({"stem": "MobileOneBlock", "stem.reparam_conv": "Conv2d"}, "deployed"),
    ],
)
def test_the_branches_of_re_parameterised_nets_are_apart_or_fused(modules, state):
    assert trait_facts(net(10, modules=modules, conv=1), "residual_cnn")["model.reparam_state"] == state


def test_a_graph_without_modules_does_not_tell_whether_branches_were_fused():
    graph = net(10, conv=1).model_copy(update={"format": "onnx"})
    assert trait_facts(graph, "residual_cnn")["model.reparam_state"] is None
