"""Profiles of exported networks against those of the torch networks they come from."""

import pytest
import timm
import torch

from advisor.profiling import family, peak_activation_bytes, profile_module, profile_onnx
from advisor.schema import OpKind

pytestmark = pytest.mark.real

# Both of torch's exporters: they write different graphs.
OLD = {"dynamo": False, "input_names": ["x"], "dynamic_axes": {"x": {0: "n"}}}
NEW = {"dynamo": True, "dynamic_shapes": ({0: torch.export.Dim("n")},)}
NETWORKS = [("resnet18", OLD), ("mobilenetv2_100", OLD), ("vit_tiny_patch16_224", NEW)]


@pytest.fixture(scope="module", params=NETWORKS, ids=[name for name, _ in NETWORKS])
def pair(request, tmp_path_factory):
    """Both profiles; random values everywhere, since exporters merge tensors that are equal."""
    torch.manual_seed(0)
    name, options = request.param
    module = timm.create_model(name).eval()
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point():
            tensor.data.uniform_(0.1, 1)
    path = tmp_path_factory.mktemp("onnx") / f"{name}.onnx"
    torch.onnx.export(module, (torch.zeros(2, 3, 224, 224),), path, verbose=False, opset_version=18, **options)
    return profile_module(module, (1, 3, 224, 224)), profile_onnx(path, input_shape=(1, 3, 224, 224)), path


def test_macs_are_equal(pair):
    torch_profile, onnx_profile, _ = pair
    assert onnx_profile.macs == pytest.approx(torch_profile.macs, rel=0.005)


def test_parameters_are_equal_but_for_folded_batch_norms(pair):
    torch_profile, onnx_profile, _ = pair
    # folding turns a scale and a shift per channel into one bias per channel
    folded = sum(torch_profile.weight_elements(op) // 4 for op in torch_profile.ops if op.kind is OpKind.NORM_BATCH)
    assert onnx_profile.params == torch_profile.params - folded


def test_the_peak_of_activations_is_near(pair):
    torch_profile, onnx_profile, _ = pair
    assert peak_activation_bytes(onnx_profile) == pytest.approx(peak_activation_bytes(torch_profile), rel=0.05)


def test_the_family_is_the_same(pair):
    torch_profile, onnx_profile, _ = pair
    assert family(onnx_profile) == family(torch_profile)


def test_kinds_of_weighted_layers_are_the_same(pair):
    torch_profile, onnx_profile, _ = pair

    def count(workload, kind):
        return sum(op.kind is kind for op in workload.ops)

    for kind in (OpKind.CONV, OpKind.CONV_1X1, OpKind.CONV_DEPTHWISE, OpKind.LINEAR):
        assert count(onnx_profile, kind) == count(torch_profile, kind), kind


def test_an_open_batch_axis_scales_the_work(pair):
    _, one, path = pair
    three = profile_onnx(path, input_shape=(3, 3, 224, 224))
    assert three.macs == 3 * one.macs
    assert three.params == one.params
    assert three.batch == 3
