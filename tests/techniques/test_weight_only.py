"""Weights stored as integers: what the file holds, how close it is, and what it weighs."""

import numpy as np
import pytest

from advisor.techniques.weight_only.apply import pack

pytestmark = pytest.mark.real


@pytest.mark.parametrize(("bits", "block"), [(8, 20), (8, 6), (4, 20), (4, 6), (4, 7)])
@pytest.mark.parametrize("axis", [0, 1])
def test_no_value_moves_by_more_than_half_a_step(bits, block, axis):
    rng = np.random.default_rng(0)
    matrix = rng.normal(0.02, 0.1, (20, 20)).astype(np.float32)
    packed = pack(matrix, bits, block, axis)
    scales = np.repeat(packed.scales, block, axis=axis)[:20, :20]
    zeros = np.repeat(packed.zero_points, block, axis=axis)[:20, :20]
    restored = (packed.values.astype(np.float32) - zeros) * scales
    assert (np.abs(restored - matrix) <= scales * (0.5 if bits == 8 else 1.0) + 1e-6).all()
    assert packed.values.min() >= -(2 ** (bits - 1))
    assert packed.values.max() < 2 ** (bits - 1)


def test_zeros_stay_zero_and_cost_no_error():
    packed = pack(np.zeros((3, 8), np.float32), 4, 4, 1)
    assert not packed.values.astype(int).any()
    assert (packed.scales == 1).all()


def network():
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem, self.up = nn.Conv2d(3, 96, 3, padding=1), nn.ConvTranspose2d(96, 64, 2, stride=2)
            self.tokens, self.head = nn.Linear(64, 640), nn.Linear(640, 10)

        def forward(self, x):
            x = torch.relu(self.up(torch.relu(self.stem(x)))).flatten(2).transpose(1, 2)
            return self.head(torch.relu(self.tokens(x)).mean(1))

    torch.manual_seed(0)
    return Net().eval()


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    from advisor.runtimes.onnx_export import export_onnx

    return export_onnx(network(), (1, 3, 8, 8), tmp_path_factory.mktemp("net") / "float.onnx")


@pytest.mark.parametrize(("bits", "group", "close"), [(8, 0, 0.02), (8, 32, 0.02), (4, 32, 0.25), (4, 0, 0.5)])
def test_the_file_runs_is_close_and_weighs_what_was_predicted(exported, tmp_path, bits, group, close):
    import onnx
    import onnxruntime as ort

    from advisor.prediction.written import written
    from advisor.profiling import profile_module
    from advisor.techniques.subject import Subject
    from advisor.techniques.weight_only.apply import apply
    from advisor.techniques.weight_only.preview import preview
    from advisor.techniques.weight_only.step import WeightOnly

    step = WeightOnly(bits=bits, group_size=group)
    change = apply(step, Subject((1, 3, 8, 8), tmp_path, onnx=exported))
    assert change.details["layers"] == 4
    image = np.random.default_rng(0).normal(size=(1, 3, 8, 8)).astype(np.float32)
    before, after = (
        ort.InferenceSession(str(path), providers=["CPUExecutionProvider"]).run(None, {"input": image})[0]
        for path in (exported, change.onnx)
    )
    assert np.abs(after - before).max() < close * np.abs(before).max()
    assert not np.array_equal(after, before)
    constants = onnx.load(change.onnx).graph.initializer
    stored = {t.data_type for t in constants if t.name.endswith("_values")}
    assert stored == {onnx.TensorProto.INT8 if bits == 8 else onnx.TensorProto.INT4}
    planned = preview(step, profile_module(network(), (1, 3, 8, 8), name="net", source=""))
    assert sum(len(t.raw_data) for t in constants) == pytest.approx(written(planned).weights, rel=0.005)


def test_a_file_without_layers_is_refused(tmp_path):
    import onnx

    from advisor.errors import NotApplicable
    from advisor.techniques.subject import Subject
    from advisor.techniques.weight_only.apply import apply
    from advisor.techniques.weight_only.step import WeightOnly

    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "g",
                                   [value("x", 1, [1])], [value("y", 1, [1])])  # fmt: skip
    onnx.save(onnx.helper.make_model(graph), tmp_path / "m.onnx")
    with pytest.raises(NotApplicable, match="weight_only"):
        apply(WeightOnly(), Subject((1,), tmp_path, onnx=tmp_path / "m.onnx"))
