"""16-bit files: half the size, nearly the same answers, and float32 at both ends."""

import numpy as np
import onnx
import pytest

from advisor.errors import NotApplicable
from advisor.techniques.half.apply import apply
from advisor.techniques.half.step import Half

from .quantizing import answers, calibration, exported, subject

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def net():
    import torch
    from torch import nn

    torch.manual_seed(0)
    return exported(nn.Sequential(nn.Conv2d(1, 64, 3), nn.ReLU(), nn.Conv2d(64, 64, 3), nn.Flatten(2)))


@pytest.mark.parametrize(("dtype", "stored", "error"), [("fp16", "FLOAT16", 1e-3), ("bf16", "BFLOAT16", 8e-3)])
def test_the_file_is_half_as_large_and_answers_nearly_the_same(net, dtype, stored, error):
    batches = calibration()[:1]
    change = apply(Half(dtype=dtype), subject(net, batches))
    assert change.onnx.stat().st_size < 0.55 * net.stat().st_size
    model = onnx.load(change.onnx)
    kinds = {onnx.TensorProto.DataType.Name(tensor.data_type) for tensor in model.graph.initializer if tensor.dims}
    assert stored in kinds
    assert "FLOAT" not in kinds
    ends = (*model.graph.input, *model.graph.output)
    assert all(end.type.tensor_type.elem_type == onnx.TensorProto.FLOAT for end in ends)
    reference = answers(net, batches)
    found = answers(change.onnx, batches)
    assert 0 < np.abs(found - reference).max() < error * np.abs(reference).max() * 4


def test_bf16_keeps_weights_that_fp16_would_clip(tmp_path):
    import torch
    from torch import nn

    layer = nn.Conv2d(1, 8, 3)
    with torch.no_grad():
        layer.weight.mul_(1e6)
    source, batches = exported(layer), calibration()[:1]
    assert "were clipped" in apply(Half(dtype="fp16"), subject(source, batches)).done
    change = apply(Half(dtype="bf16"), subject(source, batches))
    assert np.allclose(answers(change.onnx, batches), answers(source, batches), rtol=0.02, atol=2e4)


def test_an_opset_without_bf16_is_refused(net, tmp_path):
    model = onnx.load(net)
    model.opset_import[0].version = 12
    onnx.save(model, tmp_path / "old.onnx")
    with pytest.raises(NotApplicable, match="bfloat16 needs opset 13"):
        apply(Half(dtype="bf16"), subject(tmp_path / "old.onnx", calibration()[:1]))
