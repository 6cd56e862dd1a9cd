import pytest
import torch
from torch import nn

from advisor.errors import ModelLoadError
from advisor.loading.sanity import check_weights

NAN, INF = float("nan"), float("inf")


def _with(value, count=2, dtype=torch.float32):
    tensor = torch.ones(3, 5)
    tensor.view(-1)[:count] = value
    return tensor.to(dtype)


BAD = {
    "nan": ("conv.weight", _with(NAN), r"conv\.weight \(2 NaN of 15\)"),
    "inf": ("conv.weight", _with(INF), r"conv\.weight \(2 infinite of 15\)"),
    "-inf": ("conv.bias", _with(-INF, 1), r"conv\.bias \(1 infinite of 15\)"),
    "statistics": ("bn.running_var", _with(INF), r"bn\.running_var \(2 infinite"),
    "half": ("conv.weight", _with(NAN, dtype=torch.float16), "2 NaN"),
    "bfloat16": ("conv.weight", _with(INF, dtype=torch.bfloat16), "2 infinite"),
    "float8": ("conv.weight", _with(NAN, dtype=torch.float8_e4m3fn), "2 NaN"),
    "nan in a mask": ("attn_mask", _with(NAN), "2 NaN"),
    "a parameter of any name": ("pos_embed", nn.Parameter(_with(INF)), "2 infinite"),
    "complex": ("filter.weight", torch.ones(2, dtype=torch.complex64), "is complex"),
    "complex parameter": ("filter", nn.Parameter(torch.ones(2, dtype=torch.complex64)), "is complex"),
    "double": ("conv.weight", torch.ones(2, dtype=torch.float64), r"float64.*\.float\(\)"),
    "meta": ("conv.weight", torch.ones(2, device="meta"), "shape but no values"),
    "sparse": ("conv.weight", torch.eye(3).to_sparse(), r"sparse.*to_dense"),
    "empty": ("conv.weight", nn.Parameter(torch.ones(0, 3)), r"is empty \(0x3\)"),
}


@pytest.mark.parametrize(("name", "tensor", "message"), BAD.values(), ids=BAD.keys())
def test_weights_that_cannot_be_computed_with_are_refused(name, tensor, message):
    with pytest.raises(ModelLoadError, match=message) as caught:
        check_weights({"fine.weight": torch.ones(2), name: tensor}, "model.pt")
    assert "model.pt" in caught.value.where
    assert caught.value.remedy


GOOD = {
    "numbers": {"conv.weight": torch.randn(4, 4)},
    "a mask of -inf": {"attn_mask": _with(-INF)},
    "no elements at all": {},
    "a scalar": {"scale": nn.Parameter(torch.tensor(1.0))},
    "integers": {"bn.num_batches_tracked": torch.tensor(7), "index": torch.arange(4)},
    "quantized": {"conv.weight": torch.quantize_per_tensor(torch.rand(3), 0.1, 0, torch.qint8)},
    "values whose sum overflows": {"conv.weight": torch.full((8,), 3e38)},
    "a double buffer": {"anchors": torch.ones(3, dtype=torch.float64)},
}


@pytest.mark.parametrize("tensors", GOOD.values(), ids=GOOD.keys())
def test_usable_weights_pass(tensors):
    check_weights(tensors, "model.pt")


def test_many_faults_are_counted_and_the_first_named():
    tensors = {f"layer{i}.weight": torch.full((2,), NAN) for i in range(9)}
    with pytest.raises(ModelLoadError, match=r"layer0\.weight.*layer3\.weight \(2 NaN of 2\) and 5 more"):
        check_weights(tensors, "model.pt")


def test_the_tensors_are_not_changed():
    weight = nn.Parameter(torch.randn(5))
    before = weight.detach().clone()
    check_weights({"weight": weight}, "model.pt")
    assert torch.equal(weight, before)
    assert weight.requires_grad
