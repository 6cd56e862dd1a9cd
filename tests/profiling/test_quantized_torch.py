"""Networks that torch has quantized already: as modules, as scripts, and as graphs of quantize and dequantize nodes."""

import pytest
import torch
from torch import nn
from torch.ao.quantization import get_default_qconfig_mapping, quantize_dynamic
from torch.ao.quantization.fx._decomposed import quantized_decomposed_lib  # noqa: F401  (registers the operators)
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

from advisor.facts.model import model_facts
from advisor.loading.torchscript import open_torchscript
from advisor.profiling import profile_module
from advisor.schema import OpKind

IMAGE = (1, 3, 16, 16)
LAYERS = {"0.weight": (8, 3, 3, 3), "2.weight": (8, 1, 3, 3), "6.weight": (5, 8)}


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, groups=8), nn.Hardswish(), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(8, 5),
    ).eval()  # fmt: skip


def converted(engine="x86"):
    torch.backends.quantized.engine = engine
    prepared = prepare_fx(network(), get_default_qconfig_mapping(engine), (torch.rand(IMAGE),))
    prepared(torch.rand(8, *IMAGE[1:]))
    return convert_fx(prepared)


def scripted(tmp_path, module, trace=False):
    made = torch.jit.trace(module, torch.rand(IMAGE)) if trace else torch.jit.script(module)
    torch.jit.save(made, tmp_path / "a.pt")
    return open_torchscript(tmp_path / "a.pt", IMAGE).module


@pytest.fixture(autouse=True)
def _same_engine():
    before = torch.backends.quantized.engine
    yield
    torch.backends.quantized.engine = before


class Spelt(nn.Module):
    """A convolution between quantize and dequantize nodes, as exporters write it."""

    def __init__(self, per_channel):
        super().__init__()
        self.register_buffer("kernel", torch.randint(-9, 9, (4, 3, 3, 3), dtype=torch.int8))
        self.register_buffer("scale", torch.full((4,), 0.1))
        self.register_buffer("zero", torch.zeros(4, dtype=torch.int64))
        self.per_channel = per_channel

    def forward(self, x):
        ops = torch.ops.quantized_decomposed
        q = ops.quantize_per_tensor.default(x, 0.1, 3, 0, 255, torch.uint8)
        x = ops.dequantize_per_tensor.default(q, 0.1, 3, 0, 255, torch.uint8)
        if self.per_channel:
            kernel = ops.dequantize_per_channel.default(self.kernel, self.scale, self.zero, 0, -128, 127, torch.int8)
        else:
            kernel = ops.dequantize_per_tensor.default(self.kernel, 0.1, 0, -128, 127, torch.int8)
        return nn.functional.conv2d(x, kernel)


@pytest.mark.parametrize(("per_channel", "granularity"), [(False, "per_tensor"), (True, "per_channel")])
def test_a_convolution_between_quantize_nodes_runs_in_int8(per_channel, granularity):
    workload = profile_module(Spelt(per_channel), IMAGE)
    assert [op.kind for op in workload.ops] == [OpKind.QUANTIZE, OpKind.QUANTIZE, OpKind.CONV]
    assert [op.attrs["function"] for op in workload.ops[:2]] == ["quantize", "dequantize"]
    conv = workload.ops[-1]
    assert (conv.precision, conv.weights, conv.macs) == ("int8", ("kernel",), 14 * 14 * 4 * 27)
    kernel = workload.weight["kernel"]
    assert (kernel.role, kernel.counted) == ("weight", True)
    assert (kernel.storage.dtype, kernel.storage.granularity) == ("int8", granularity)
    assert workload.params == 108


def test_an_integer_kernel_alone_does_not_make_a_layer_int8():
    class WeightOnly(Spelt):
        def forward(self, x):
            ops = torch.ops.quantized_decomposed
            return nn.functional.conv2d(
                x, ops.dequantize_per_tensor.default(self.kernel, 0.1, 0, -128, 127, torch.int8)
            )

    workload = profile_module(WeightOnly(per_channel=False), IMAGE)
    assert [(op.kind, op.precision) for op in workload.ops] == [(OpKind.CONV, "fp32")]
    assert workload.weight["kernel"].storage.dtype == "int8"


@pytest.mark.parametrize("engine", ["x86", "qnnpack"])
@pytest.mark.parametrize("form", ["module", "script", "trace"])
def test_a_converted_network_is_int8_in_every_form(tmp_path, engine, form):
    module = converted(engine)
    if form != "module":
        module = scripted(tmp_path, module, trace=form == "trace")
    workload, before = profile_module(module, IMAGE), profile_module(network(), IMAGE)
    assert (workload.macs, workload.params) == (before.macs, before.params)
    layers = [op for op in workload.ops if op.macs]
    assert [op.precision for op in layers] == ["int8"] * 3
    assert {w.name: w.shape for w in workload.weights if w.role == "weight"} == LAYERS
    scales = "per_channel" if engine == "x86" else "per_tensor"
    for name in LAYERS:
        assert (workload.weight[name].storage.dtype, workload.weight[name].storage.granularity) == ("int8", scales)
    assert not [op for op in workload.ops if op.kind is OpKind.UNKNOWN]
    assert model_facts(workload)["model.quantized"] is True


@pytest.mark.parametrize("engine", ["x86", "qnnpack"])
def test_a_quantized_script_computes_the_same_up_to_a_step(tmp_path, engine):
    module = converted(engine)
    x = torch.rand(4, *IMAGE[1:])
    step = float(getattr(module, "6").scale)
    with torch.no_grad():
        torch.testing.assert_close(scripted(tmp_path, module)(x), module(x), rtol=0, atol=1.01 * step)


@pytest.mark.parametrize("form", ["module", "script"])
def test_dynamic_quantization_is_int8_too(tmp_path, form):
    module = quantize_dynamic(network(), {nn.Linear}, dtype=torch.qint8)
    workload = profile_module(module if form == "module" else scripted(tmp_path, module), IMAGE)
    (linear,) = [op for op in workload.ops if op.kind is OpKind.LINEAR]
    assert (linear.precision, linear.macs) == ("int8", 40)
    assert workload.weight["6.weight"].storage.dtype == "int8"
    assert workload.weight["0.weight"].storage.dtype == "float32"


def test_a_network_in_float_is_not_called_quantized():
    assert model_facts(profile_module(network(), IMAGE))["model.quantized"] is False
