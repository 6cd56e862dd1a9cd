"""Every form of int8: the file has it, the integer kernels really run, and the answers stay near the float ones."""

import numpy as np
import pytest

from advisor.errors import NotApplicable
from advisor.runtimes.kernels import executed_kernels, integer_kernels
from advisor.techniques.static_int8.apply import apply
from advisor.techniques.static_int8.graph import Graph, separate
from advisor.techniques.static_int8.step import StaticInt8

from .quantizing import answers, calibration, exported, subject

pytestmark = pytest.mark.real

TYPES = {"u8s8": ("uint8", "int8"), "s8s8": ("int8", "int8"), "u8u8": ("uint8", "uint8")}


def chain():
    import torch
    from torch import nn

    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 16, 3, stride=2), nn.ReLU(),
        nn.Conv2d(16, 16, 3, groups=4), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10),
    ).eval()  # fmt: skip


@pytest.fixture(scope="module")
def net():
    batches = calibration()[:2]
    source = exported(chain())
    return source, batches, answers(source, batches)


def made(net, **settings):
    source, batches, _ = net
    return apply(StaticInt8(**settings), subject(source, batches)).onnx


def pairs_of(path):
    """Return scale and zero point of every quantize and dequantize node, activations and weights."""
    graph = Graph.read(path)
    nodes = [n for n in graph.model.graph.node if n.op_type in ("QuantizeLinear", "DequantizeLinear")]
    found = [(graph.array(n.input[1]), graph.array(n.input[2]), n.input[0] in graph.constants) for n in nodes]
    return [(s, z) for s, z, weight in found if not weight], [(s, z) for s, z, w in found if w and z.dtype != np.int32]


@pytest.mark.parametrize("activations", ["symmetric", "asymmetric"])
@pytest.mark.parametrize("weights", ["per_channel", "per_tensor"])
@pytest.mark.parametrize("form", TYPES)
def test_every_form_runs_in_integers(net, form, weights, activations):
    from advisor.techniques.static_int8.observe import sqnr

    path = made(net, signedness=form, weights=weights, activations=activations)
    values, kernels = pairs_of(path)
    assert {z.dtype.name for _, z in values} == {TYPES[form][0]}
    assert {z.dtype.name for _, z in kernels} == {TYPES[form][1]}
    assert all((scale.size > 1) == (weights == "per_channel") for scale, _ in kernels)
    middle = 128 if form[0] == "u" else 0
    assert all(zero == middle for _, zero in values) == (activations == "symmetric")
    assert integer_kernels(path) == 4
    assert not {"Conv", "FusedConv", "NhwcFusedConv", "Gemm"} & set(executed_kernels(path))
    assert sqnr(net[2], answers(path, net[1])) > 15


@pytest.mark.parametrize("form", TYPES)
@pytest.mark.parametrize("weights", ["per_channel", "per_tensor"])
def test_power_of_two_scales_are_powers_of_two_in_the_file_and_run_in_integers(net, form, weights):
    from advisor.techniques.static_int8.observe import sqnr

    path = made(net, signedness=form, weights=weights, power_of_two_scales=True)
    graph = Graph.read(path)
    scales = [graph.array(n.input[1]) for n in graph.model.graph.node if n.op_type == "DequantizeLinear"]
    scales += [graph.array(n.input[1]) for n in graph.model.graph.node if n.op_type == "QuantizeLinear"]
    assert len(scales) > 10
    assert all((np.log2(scale) % 1 == 0).all() for scale in scales)
    assert integer_kernels(path) == 4
    assert sqnr(net[2], answers(path, net[1])) > 12


@pytest.mark.parametrize("method", ["minmax", "percentile", "entropy", "mse"])
def test_every_way_to_find_ranges_gives_a_file_that_runs(net, method, capsys):
    from advisor.techniques.static_int8.observe import agreement

    path = made(net, signedness="u8s8", method=method)
    assert integer_kernels(path) == 4
    assert agreement(net[2], answers(path, net[1])) > 0.6
    assert capsys.readouterr().out == ""
    assert [file.name for file in path.parent.iterdir()] == [path.name], "no traces stay"


@pytest.mark.parametrize(
    ("values", "low", "high"),
    [
        (np.random.default_rng(0).uniform(-1, 1, 20000), (-1.01, -0.97), (0.97, 1.01)),  # nothing to cut off
        # The best ends for 8 bits are 3.92 standard deviations and 9.89 scales (Banner et al., NeurIPS 2019).
        (np.random.default_rng(0).normal(0, 1, 10**6), (-4.4, -3.6), (3.6, 4.4)),
        (np.random.default_rng(0).laplace(0, 1, 10**6), (-11, -9), (9, 11)),
        (np.maximum(np.random.default_rng(0).normal(0, 1, 20000), 0), (0, 0), (3, 6)),  # behind a ReLU
    ],
)
def test_the_range_of_least_squared_error(values, low, high):
    from advisor.techniques.static_int8.mse import LEVELS, best_range

    reach = np.abs(values).max()
    counts, edges = np.histogram(values, 2048, range=(-reach, reach))
    found = best_range(counts, edges, values.min(), values.max())
    assert low[0] <= found[0] <= low[1]
    assert high[0] <= found[1] <= high[1]

    def error(bottom, top):
        step = (top - bottom) / LEVELS
        return np.square(np.clip(np.rint(values / step) * step, bottom, top) - values).mean()

    assert error(*found) <= 1.05 * error(min(values.min(), 0), values.max())


def test_group_norms_stay_float_and_the_convolutions_around_them_do_not():
    import torch
    from torch import nn

    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(1, 8, 3), nn.GroupNorm(1, 8), nn.ReLU(), nn.Conv2d(8, 8, 3), nn.GroupNorm(1, 8), nn.Flatten(1, 3)
    ).eval()  # fmt: skip
    source, batches = exported(module), calibration()[:2]
    path = made((source, batches, None), signedness="u8s8")
    graph = Graph.read(path)
    kept = [node for node in graph.model.graph.node if node.op_type == "InstanceNormalization"]
    assert len(kept) == 2
    assert all(name in graph.constants for node in kept for name in node.input[1:]), "quantized norms"
    assert integer_kernels(path) == 2


def test_layers_in_float_really_run_in_float(net):
    from advisor.techniques.static_int8.observe import sqnr

    plain = made(net, signedness="u8s8", weights="per_tensor")
    mixed = made(net, signedness="u8s8", weights="per_tensor", float_layers=("5", "8"))
    assert integer_kernels(plain) == 4
    assert integer_kernels(mixed) == 2
    assert sum(executed_kernels(mixed)[name] for name in ("Conv", "FusedConv", "Gemm", "FusedGemm")) == 2
    assert sqnr(net[2], answers(mixed, net[1])) > sqnr(net[2], answers(plain, net[1]))
    every = made(net, signedness="u8s8", float_layers=("0", "3", "5", "8"))
    assert integer_kernels(every) == 0
    assert sqnr(net[2], answers(every, net[1])) > 90


def test_an_unknown_layer_is_refused_with_its_neighbours(net):
    with pytest.raises(NotApplicable, match="no layer '33' to keep in float") as caught:
        made(net, float_layers=("33",))
    assert "3" in caught.value.remedy


def test_a_detectors_decoding_stays_float():
    import torch
    from torch import nn

    class Detector(nn.Module):
        """Boxes as distributions over distances, scores, and both in one tensor, as the YOLO family ends."""

        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(1, 16, 3, 2, 1), nn.ReLU())
            self.boxes, self.scores, self.project = nn.Conv2d(16, 16, 1), nn.Conv2d(16, 5, 1), nn.Conv2d(4, 1, 1)

        def forward(self, x):
            found = self.body(x)
            boxes = self.boxes(found).flatten(2).view(x.shape[0], 4, 4, 64).transpose(1, 2).softmax(1)
            boxes = self.project(boxes).view(x.shape[0], 4, 64)
            return torch.cat((boxes * 8, self.scores(found).flatten(2).sigmoid()), 1)

    torch.manual_seed(0)
    source, batches = exported(Detector().eval()), calibration()[:2]
    change = apply(StaticInt8(signedness="u8s8"), subject(source, batches))
    kernels = executed_kernels(change.onnx)
    assert integer_kernels(change.onnx) == 3
    assert kernels["Softmax"] == kernels["Sigmoid"] == kernels["Concat"] == 1
    assert not any(name.startswith(("QLinearConcat", "QLinearSigmoid", "QLinearSoftmax")) for name in kernels)


def shared_bias():
    """Return a graph whose shared bias is called `val_2` and whose reshaped tensor `val_21`."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(0)
    constants = {
        "a": rng.standard_normal((8, 8)), "b": rng.standard_normal((8, 8)), "val_2": rng.standard_normal(8) * 10,
        "shape": np.array([25, 8]),
    }  # fmt: skip
    nodes = [
        helper.make_node("Gemm", ["input", "a", "val_2"], ["first"], name="one"),
        helper.make_node("Reshape", ["first", "shape"], ["val_21"], name="move"),
        helper.make_node("Gemm", ["val_21", "b", "val_2"], ["output"], name="two"),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [25, 8]) for name in ("input", "output")]
    tensors = [
        numpy_helper.from_array(value.astype(np.int64 if name == "shape" else np.float32), name)
        for name, value in constants.items()
    ]
    graph = helper.make_graph(nodes, "shared", ends[:1], ends[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def test_a_shared_bias_may_be_called_as_it_likes(tmp_path):
    """onnxruntime's own copy of `val_2` would be called `val_21`, which is another tensor here."""
    import onnx

    from advisor.techniques.static_int8.observe import sqnr

    source = tmp_path / "float.onnx"
    onnx.save(shared_bias(), source)
    batches = [np.random.default_rng(1).standard_normal((25, 8)).astype(np.float32)]
    path = apply(StaticInt8(signedness="u8s8"), subject(source, batches)).onnx
    assert integer_kernels(path) == 2
    assert sqnr(answers(source, batches), answers(path, batches)) > 25
    graph = Graph(shared_bias())
    assert separate(graph) == 1
    assert [node.input[2] for node in graph.model.graph.node if node.op_type == "Gemm"] == ["val_2@1", "val_2"]
