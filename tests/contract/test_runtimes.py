"""What every runtime promises, for each that is installed here."""

import numpy as np
import pytest

from advisor import runtimes
from advisor.errors import AdvisorError, NotApplicable
from advisor.runtimes.agreement import SLACK, compare_outputs
from advisor.runtimes.tflite import CONVERTER
from tests.runtimes.networks import NETS, SHAPE, batches, float_file, int8_file, planned_int8

pytestmark = pytest.mark.real
INTEGERS = {"openvino", "ncnn", "executorch", "tflite", "onnxruntime"}  # multiply integers where the file does


SLOW = {"aotinductor"}  # compiles every file for ten seconds
PARAMS = [pytest.param(name, marks=[pytest.mark.study] * (name in SLOW)) for name in runtimes.names()]


@pytest.fixture(scope="module", params=PARAMS)
def runtime(request):
    try:
        found = runtimes.get(request.param)
    except NotApplicable as error:
        pytest.skip(error.what)
    if request.param == "tflite" and CONVERTER.python() is None:
        pytest.skip("the environment of litert-torch has not been made")
    return found


@pytest.fixture(scope="module")
def made(runtime, tmp_path_factory):
    """The artefacts of the small networks by name, float and int8, made once."""
    folder, found = tmp_path_factory.mktemp(runtime.name), {}

    def make(name, form):
        if (name, form) not in found:
            source = float_file(name) if form == "float" else int8_file(name)
            found[name, form] = runtime.convert(source, folder / f"{name}-{form}{runtime.suffix}")
        return found[name, form]

    return make


def test_it_says_what_it_is(runtime):
    assert runtime.suffix.startswith(".")
    assert runtime.version()[0].isdigit()
    assert "fp32" in runtime.arithmetic
    assert __import__(runtime.module.split(".", maxsplit=1)[0])


@pytest.mark.parametrize("name", NETS)
def test_a_converted_file_computes_what_onnxruntime_computes(runtime, made, name):
    session = runtime.load(made(name, "float"))
    assert session.input_shape == SHAPE
    agreement = compare_outputs(runtimes.get("onnxruntime").load(float_file(name)), session)
    assert agreement.holds(SLACK / 20), agreement
    assert agreement.same_first == agreement.inputs


def test_a_module_is_exported_whole_and_left_as_it_was(runtime, tmp_path):
    import torch

    net = NETS["convolutional"]()
    path = runtime.export(net, SHAPE, tmp_path / f"net{runtime.suffix}")
    assert {file.name for file in tmp_path.iterdir()} == {file.name for file in runtime.files(path)}
    assert runtime.files(path)[0] == path
    batch = batches(1)[0]
    with torch.inference_mode():
        expected = net(torch.from_numpy(batch)).numpy()
    np.testing.assert_allclose(runtime.load(path)(batch), expected, atol=1e-4)


def test_integer_files_run_in_integers_or_the_placement_says_that_they_do_not(runtime, made):
    if "int8" not in runtime.arithmetic:
        with pytest.raises(NotApplicable, match="float files only"):
            made("convolutional", "int8")
        return
    placement = runtime.placement(made("convolutional", "int8"))
    if runtime.name in INTEGERS:
        assert placement.heavy_int8 >= 4
        assert placement.int8_share > 0.6
    else:
        assert placement.heavy_int8 == 0
        assert placement.heavy_float >= 4
    session = runtime.load(made("convolutional", "int8"))
    agreement = compare_outputs(runtimes.get("onnxruntime").load(int8_file("convolutional")), session)
    assert agreement.holds(0.2), agreement


def test_the_int8_transformer_of_a_plan_is_taken_and_its_products_are_integer(runtime, tmp_path):
    if "int8" not in runtime.arithmetic:
        pytest.skip("it runs float files only")
    source = planned_int8("transformer")
    made = runtime.convert(source, tmp_path / f"net{runtime.suffix}")
    agreement = compare_outputs(runtimes.get("onnxruntime").load(source), runtime.load(made))
    assert agreement.holds(0.3), agreement
    placement = runtime.placement(made)
    assert (placement.heavy_int8 > 0) == (runtime.name in INTEGERS)
    assert placement.heavy_int8 + placement.heavy_float >= 6  # four linear layers, the patches and the head


def test_the_placement_of_a_float_file_has_no_integers(runtime, made):
    placement = runtime.placement(made("convolutional", "float"))
    assert (placement.heavy_int8, placement.int8_share) == (0, 0.0)
    assert placement.heavy_float >= 4
    assert sum(placement.counts.values()) >= placement.heavy_float
    assert sum(placement.arithmetic.values()) in (0, placement.heavy_float)


def test_two_threads_compute_the_same(runtime, made):
    path, batch = made("convolutional", "float"), batches(1)[0]
    np.testing.assert_allclose(runtime.load(path, 2)(batch), runtime.load(path, 1)(batch), atol=1e-5)


def test_two_open_sessions_do_not_disturb_each_other(runtime, made):
    path, (one, other) = made("convolutional", "float"), batches(2)
    first, second = runtime.load(path), runtime.load(path)
    kept = first(one)
    before = kept.copy()
    second(other)
    first(other)
    np.testing.assert_array_equal(kept, before)


@pytest.mark.parametrize("content", [b"", b"nonsense" * 50])
def test_a_damaged_file_is_refused_with_its_name(runtime, tmp_path, content):
    path = tmp_path / f"bad{runtime.suffix}"
    for file in runtime.files(path):
        file.write_bytes(content)
    with pytest.raises(AdvisorError, match="bad"):
        runtime.load(path)


def test_a_missing_file_is_refused_with_its_name(runtime, tmp_path):
    with pytest.raises(AdvisorError, match="absent"):
        runtime.load(tmp_path / f"absent{runtime.suffix}")


def test_what_cannot_be_converted_is_refused_and_leaves_nothing(runtime, tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"nonsense" * 50)
    out = tmp_path / "out"
    with pytest.raises(AdvisorError):
        runtime.convert(tmp_path / "bad.onnx", out / f"net{runtime.suffix}")
    assert not out.exists() or list(out.iterdir()) == []
