import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from advisor.errors import ModelLoadError
from advisor.loading import load
from advisor.loading.onnx_tensors import external_files, one_file


def write_conv(path, axes, *, external=False, outputs=(1, 2, 8, 8)):
    weight = numpy_helper.from_array(np.ones((2, 3, 1, 1), np.float32), "w")
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"])],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, axes)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, outputs)],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(model, path, save_as_external_data=external, location="weights.bin", size_threshold=0)
    return path


def test_a_fixed_input_needs_nothing(tmp_path):
    loaded = load(write_conv(tmp_path / "net.onnx", [1, 3, 8, 8]))
    assert (loaded.format, loaded.input_shape, loaded.module) == ("onnx", (1, 3, 8, 8), None)
    assert loaded.preprocessing.source == "assumed"


def test_an_open_batch_axis_takes_the_batch(tmp_path):
    path = write_conv(tmp_path / "net.onnx", ["n", 3, 8, 8], outputs=["n", 2, 8, 8])
    assert load(path).input_shape == (1, 3, 8, 8)
    assert load(path, batch=4).input_shape == (4, 3, 8, 8)


def test_open_image_axes_are_named(tmp_path):
    path = write_conv(tmp_path / "net.onnx", ["n", 3, "height", None], outputs=["n", 2, None, None])
    with pytest.raises(ModelLoadError, match=r"open axes: 2 \(height\), 3 \(unnamed\).*--input 1x3x224x224"):
        load(path)
    assert load(path, input_shape=(3, 16, 12)).input_shape == (1, 3, 16, 12)


@pytest.mark.parametrize("options", [{"input_shape": (3, 9, 8)}, {"input_shape": (1, 1, 8, 8)}, {"batch": 2}])
def test_a_shape_that_contradicts_the_file_is_refused(tmp_path, options):
    with pytest.raises(ModelLoadError, match=r"contradicts the file|fixed to a batch of 1"):
        load(write_conv(tmp_path / "net.onnx", [1, 3, 8, 8]), **options)


def test_external_weights_are_part_of_the_digest(tmp_path):
    path = write_conv(tmp_path / "net.onnx", [1, 3, 8, 8], external=True)
    spec = load(path).spec
    assert sorted(name.rsplit("/", 1)[-1] for name in spec["sha256"]) == ["net.onnx", "weights.bin"]
    (tmp_path / "weights.bin").write_bytes(b"\0" * (tmp_path / "weights.bin").stat().st_size)
    with pytest.raises(ModelLoadError, match="has changed"):
        load(**spec)


def test_a_file_with_weights_beside_it_becomes_one_that_holds_them(tmp_path):
    plain, split = write_conv(tmp_path / "plain.onnx", [1, 3, 8, 8]), tmp_path / "split"
    split.mkdir()
    outside = write_conv(split / "net.onnx", [1, 3, 8, 8], external=True)
    made = one_file(outside, tmp_path / "work")
    assert one_file(plain, tmp_path) == plain
    assert made.parent == tmp_path / "work"
    whole = onnx.load(made, load_external_data=False)
    assert external_files(whole, made) == ()
    assert numpy_helper.to_array(whole.graph.initializer[0]).tolist() == np.ones((2, 3, 1, 1)).tolist()
    (split / "weights.bin").unlink()
    assert one_file(outside, tmp_path / "work") == made  # what an earlier try left


def test_weights_that_no_single_file_holds_are_refused(tmp_path, monkeypatch):
    path = write_conv(tmp_path / "net.onnx", [1, 3, 8, 8], external=True)
    monkeypatch.setattr("advisor.loading.onnx_tensors._ONE_FILE", 20)
    with pytest.raises(ModelLoadError, match="do not fit into one ONNX file"):
        one_file(path, tmp_path / "work")
    assert not (tmp_path / "work").exists()


def test_missing_external_weights_are_explained(tmp_path):
    path = write_conv(tmp_path / "net.onnx", [1, 3, 8, 8], external=True)
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(ModelLoadError, match=r"needs its weights from 'weights.bin', which is not there"):
        load(path)


def test_a_truncated_file_is_refused(tmp_path):
    path = write_conv(tmp_path / "net.onnx", [1, 3, 8, 8])
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ModelLoadError, match="damaged or not valid"):
        load(path)


def test_a_graph_without_input_is_refused(tmp_path):
    weight = numpy_helper.from_array(np.ones(3, np.float32), "w")
    node = helper.make_node("Relu", ["w"], ["y"])
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [3])
    graph = helper.make_graph([node], "net", [], [output], [weight])
    path = tmp_path / "net.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9), path)
    with pytest.raises(ModelLoadError, match="no input"):
        load(path)
