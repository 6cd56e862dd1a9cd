"""Settings of int8 that depend on data or training, from the plan to the file that ships, on the digits."""

import functools

import pytest

from advisor.runtimes.kernels import executed_kernels, integer_kernels
from advisor.schema import Plan
from advisor.techniques.qat.step import QAT
from advisor.techniques.static_int8.step import StaticInt8

from .journeys import fast_measurement, run  # noqa: F401 - a fixture

pytestmark = pytest.mark.real

LAYERS = 5
PLANS = {
    "mixed": StaticInt8(signedness="u8s8", method="mse", bias_correction=True, keep_float=0.3),
    "powers of two": StaticInt8(signedness="u8s8", weights="per_tensor", power_of_two_scales=True),
    "trained for powers of two": QAT(
        signedness="u8s8", weights="per_tensor", epochs=2, power_of_two_scales=True, norms="frozen"
    ),
    "trained for 7 bits": QAT(signedness="u8s8", epochs=2, reduce_range=True),
}


@functools.cache
def carried_out(name):
    return run(Plan(steps=(PLANS[name],), runtime="onnxruntime"))


@pytest.mark.parametrize("name", PLANS)
def test_the_file_runs_in_integers_and_is_nearly_as_good(name):
    record, out = carried_out(name)
    floats = 2 if name == "mixed" else 0
    assert integer_kernels(out / "model.onnx") == LAYERS - floats
    assert executed_kernels(out / "model.onnx")["Conv"] + executed_kernels(out / "model.onnx")["FusedConv"] <= floats
    assert record.accuracy["original"] - record.accuracy["shipped"] < 3
    assert all(check.agrees for check in record.checks), record.checks


def test_the_record_names_the_layers_that_stayed_float():
    record, _ = carried_out("mixed")
    found = record.resolved.steps[0]
    assert len(found.float_layers) == 2
    assert found.keep_float == 0.3
    assert record.plan.steps[0].float_layers == ()
    assert record.steps[0].details["corrected_biases"] == 3
    assert record.steps[0].details["calibration_images"] > 100


@pytest.mark.parametrize("name", ["powers of two", "trained for powers of two"])
def test_scales_of_the_file_are_powers_of_two(name):
    import numpy as np

    from advisor.techniques.static_int8.graph import Graph

    _, out = carried_out(name)
    graph = Graph.read(out / "model.onnx")
    nodes = [node for node in graph.model.graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear")]
    assert nodes
    assert all((np.log2(graph.array(node.input[1])) % 1 == 0).all() for node in nodes)


def test_seven_bits_stay_within_64():
    import numpy as np

    from advisor.techniques.static_int8.graph import Graph

    _, out = carried_out("trained for 7 bits")
    graph = Graph.read(out / "model.onnx")
    kernels = [graph.array(name) for name in graph.constants if name.endswith("weight_quantized")]
    assert len(kernels) == LAYERS
    assert max(np.abs(kernel.astype(int)).max() for kernel in kernels) == 64
