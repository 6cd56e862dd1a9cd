"""What only OpenVINO does: floats in 16 bits by default, and files that say what they are computed in."""

import numpy as np
import onnx
import pytest

from advisor.errors import RunError

from .networks import batches, convolutional, float_file, int8_file

pytest.importorskip("openvino")
pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def openvino():
    from advisor import runtimes

    return runtimes.get("openvino")


@pytest.fixture(scope="module")
def plain(openvino, tmp_path_factory):
    return openvino.convert(float_file("convolutional"), tmp_path_factory.mktemp("ov") / "net.xml")


def arithmetic(layers):
    return {precision for kind, precision in layers if kind in ("Convolution", "FullyConnected")}


def test_float_files_are_computed_in_f32_whatever_the_default_is(openvino, plain):
    from advisor.runtimes.openvino import default_precision, executed_layers

    assert arithmetic(executed_layers(plain)) == {"f32"}
    assert set(openvino.placement(plain).arithmetic) == {"f32"}
    assert arithmetic(executed_layers(plain, default_precision())) == {default_precision()}


def test_bf16_is_told_apart_where_the_cpu_computes_it(openvino, plain, tmp_path):
    from advisor.runtimes.openvino import OpenVinoSession, default_precision

    if default_precision() != "bf16":
        pytest.skip("this CPU computes in f32")
    batch = batches(1)[0]
    exact, rounded = openvino.load(plain)(batch), OpenVinoSession(plain, 1, "bf16")(batch)
    assert 1e-5 < np.abs(exact - rounded).max() < 0.1 * np.abs(exact).max()


def test_a_file_of_bf16_weights_says_so_and_is_obeyed(openvino, tmp_path):
    from advisor.runtimes.openvino import default_precision
    from advisor.techniques.half.bfloat16 import store

    source, model = tmp_path / "bf16.onnx", onnx.load(float_file("convolutional"))
    assert store(model) > 0
    onnx.save(model, source)
    made = openvino.convert(source, tmp_path / "net.xml")
    assert "inference_precision" in made.read_text()
    expected = "bf16" if default_precision() == "bf16" else "f32"
    assert expected in openvino.placement(made).arithmetic


def test_integers_and_the_floats_between_them_are_counted(openvino, tmp_path):
    placement = openvino.placement(openvino.convert(int8_file("transformer"), tmp_path / "net.xml"))
    assert placement.arithmetic["u8s8"] == placement.heavy_int8 > 0
    assert placement.heavy_int8 + placement.heavy_float == sum(placement.arithmetic.values())
    assert placement.boundaries > 0


def test_a_file_without_its_weights_is_refused(openvino, tmp_path):
    made = openvino.export(convolutional(), (1, 3, 16, 16), tmp_path / "net.xml")
    made.with_suffix(".bin").unlink()
    with pytest.raises(RunError, match=r"lacks its \.xml or its \.bin"):
        openvino.load(made)
