"""What is stored and computed in which form."""

import pytest

from advisor.profiling.liveness import peak_activation_bytes
from advisor.schema import OpKind, Workload
from advisor.techniques.dynamic_int8.preview import preview as dynamic
from advisor.techniques.dynamic_int8.step import DynamicInt8
from advisor.techniques.folding import fold_batch_norm, foldable_norms
from advisor.techniques.half.preview import preview as half
from advisor.techniques.half.step import Half
from advisor.techniques.sparsify.preview import preview as sparsify
from advisor.techniques.sparsify.step import Sparsify
from advisor.techniques.static_int8.preview import preview as static
from advisor.techniques.static_int8.step import StaticInt8
from advisor.techniques.weight_only.preview import preview as weight_only
from advisor.techniques.weight_only.step import WeightOnly

from .builder import NETS, Net, inverted, plain, residual, transformer

BITS = {"float32": 32, "float16": 16, "int32": 32, "int8": 8, "int4": 4}


def bits(workload: Workload) -> int:
    """Bits of all counted weights, without scales."""
    return sum(w.elements * BITS[w.storage.dtype] for w in workload.weights if w.counted)


def precisions(workload: Workload) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for op in workload.ops:
        found.setdefault(op.kind, set()).add(op.precision)
    return found


def test_folding_by_hand():
    folded = fold_batch_norm(plain())
    assert [op.kind for op in folded.ops][:2] == [OpKind.CONV, OpKind.ACTIVATION]
    assert folded.weight["one.conv.bias"].shape == (16,)
    assert folded.params == plain().params - 16 - 32  # scale and shift go, a bias comes
    assert folded.macs == plain().macs
    assert fold_batch_norm(folded) is folded
    assert [op.index for op in folded.ops] == list(range(len(folded.ops)))


def test_folding_keeps_a_bias_that_is_there():
    net = Net(1, 3, 8, 8)
    net.bn(net.conv(0, "a", 8, bias=True), "n")
    assert fold_batch_norm(net.done()).params == 8 * 27 + 8


def test_a_norm_is_not_folded_where_something_else_reads_the_layer():
    net = Net(1, 3, 8, 8)
    x = net.conv(0, "a", 8)
    net.add(net.bn(x, "n"), x)
    assert foldable_norms(net.done()) == ()


def test_a_norm_before_a_layer_is_not_folded():
    net = Net(1, 8, 8, 8)
    net.conv(net.act(net.bn(0, "n")), "a", 8)
    assert fold_batch_norm(net.done()).params == net.done().params


def test_static_int8_by_hand():
    after = static(StaticInt8(), plain())
    assert bits(after) == 8 * (16 * 27 + 32 * 144 + 320) + 32 * (16 + 32 + 10)
    assert after.weight["one.conv.weight"].storage.granularity == "per_channel"
    assert after.tensor[after.inputs[0]].dtype == "float32"
    assert after.tensor[after.outputs[0]].dtype == "float32"
    functions = [op.attrs.get("function") for op in after.ops if op.kind is OpKind.QUANTIZE]
    assert functions == ["quantize", "dequantize"]
    assert precisions(after)[OpKind.CONV] == precisions(after)[OpKind.LINEAR] == {"int8"}
    assert precisions(after)[OpKind.ACTIVATION] == precisions(after)[OpKind.REDUCE] == {"int8"}


def test_residual_sums_between_int8_layers_are_int8():
    assert precisions(static(StaticInt8(), residual()))[OpKind.ELEMENTWISE] == {"int8"}


def test_int8_activations_need_less_memory():
    for name in ("plain", "residual", "inverted"):
        net = NETS[name]()
        assert peak_activation_bytes(static(StaticInt8(), net)) < peak_activation_bytes(net)


def test_norms_softmax_and_gelu_of_transformers_stay_float():
    after = static(StaticInt8(), transformer())
    assert precisions(after)[OpKind.NORM_LAYER] == {"fp32"}
    assert precisions(after)[OpKind.ACTIVATION] == {"fp32"}
    assert precisions(after)[OpKind.ATTENTION] == {"int8"}
    for op in after.ops:
        forms = {after.tensor[t].dtype for t in op.inputs}
        if op.kind is OpKind.NORM_LAYER:
            assert forms == {"float32"}
        if op.kind is OpKind.LINEAR:
            assert forms == {"int8"}


def test_kinds_kept_in_float_are_float():
    after = static(StaticInt8(float_kinds=("conv_depthwise",)), inverted())
    assert precisions(after)[OpKind.CONV_DEPTHWISE] == {"fp32"}
    assert after.weight["depth.conv.weight"].storage.dtype == "float32"
    assert after.weight["expand.conv.weight"].storage.dtype == "int8"


def test_dynamic_int8_touches_linear_layers_only():
    after = dynamic(DynamicInt8(), residual())
    assert precisions(after)[OpKind.CONV] == {"fp32"}
    assert precisions(after)[OpKind.LINEAR] == {"int8"}
    assert {t.dtype for t in after.tensors} == {"float32"}
    assert bits(residual()) - bits(after) == 24 * 160


@pytest.mark.parametrize(("width", "group"), [(8, 0), (4, 32)])
def test_weight_only_stores_kernels_in_fewer_bits_and_computes_in_float(width, group):
    after = weight_only(WeightOnly(bits=width, group_size=group), plain())
    kernels = 16 * 27 + 32 * 144 + 320
    assert bits(plain()) - bits(after) == (32 - width) * kernels
    assert {op.precision for op in after.ops} == {"fp32"}
    assert after.weight["fc.weight"].storage.group_size == group


def test_half_halves_everything():
    for build in NETS.values():
        after = half(Half(), build())
        assert bits(after) * 2 == bits(build())
        assert peak_activation_bytes(after) * 2 == peak_activation_bytes(build())
        assert {op.precision for op in after.ops} == {"fp16"}


def test_sparsity_marks_kernels_and_changes_no_shape():
    after = sparsify(Sparsify(sparsity=0.8), inverted())
    assert (after.macs, after.params) == (inverted().macs, inverted().params)
    assert after.weight["expand.conv.weight"].storage.density == pytest.approx(0.2)
    assert after.weight["expand.bn.weight"].storage.density == 1.0


def test_two_of_four_needs_four_inputs_in_a_row():
    after = sparsify(Sparsify(pattern="2:4", sparsity=0.5), inverted())
    patterns = {name: after.weight[f"{name}.weight"].storage.pattern for name in ("stem.conv", "depth.conv", "project")}
    assert patterns == {"stem.conv": "dense", "depth.conv": "dense", "project": "2:4"}


def test_quantizing_keeps_the_zeros():
    after = static(StaticInt8(), sparsify(Sparsify(sparsity=0.75), plain()))
    storage = after.weight["two.conv.weight"].storage
    assert (storage.dtype, storage.density, storage.pattern) == ("int8", 0.25, "unstructured")


def test_every_tensor_that_is_read_is_written_before():
    for build in NETS.values():
        after = static(StaticInt8(), build())
        known = set(after.inputs)
        for op in after.ops:
            assert set(op.inputs) <= known
            known |= set(op.outputs)
        assert set(after.outputs) <= known
        assert known <= {t.id for t in after.tensors}


def test_a_layer_kept_in_float_by_name_stays_float():
    workload = plain()
    layer = next(op for op in workload.ops if op.weights)
    name = layer.weights[0].removesuffix(".weight")
    after = static(StaticInt8(float_layers=(name,)), workload)
    assert after.weight[layer.weights[0]].storage.dtype == "float32"
    whole = static(StaticInt8(), workload)
    assert bits(whole) < bits(after) < bits(workload)
    heavy = {op.precision for op in after.ops if op.weights and op.weights[0] == layer.weights[0]}
    assert heavy == {"fp32"}
