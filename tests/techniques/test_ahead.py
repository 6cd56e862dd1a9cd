import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from advisor.techniques.static_int8 import ahead
from advisor.techniques.static_int8.ahead import Ahead

BATCHES = 20


@pytest.fixture
def doubling(tmp_path):
    """An ONNX file that doubles two numbers."""
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 2]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Add", ["x", "x"], ["y"])], "doubling", value[:1], value[1:])
    path = tmp_path / "doubling.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


@pytest.mark.parametrize("cpus", [1, 3])
def test_answers_come_in_the_order_of_the_batches_which_are_not_read_far_ahead(doubling, cpus, monkeypatch):
    monkeypatch.setattr(ahead, "open_cpus", lambda: cpus)
    read, found = [], []

    def batches():
        for value in range(BATCHES):
            read.append(value)
            assert len(read) - len(found) <= cpus + 1
            yield np.full((1, 2), value, np.float32)

    session = Ahead(doubling)
    reader = session.reader("x", batches())
    while feed := reader.get_next():
        (answer,) = session.run(None, feed)
        np.testing.assert_array_equal(answer, 2 * feed["x"])
        found.append(float(feed["x"][0, 0]))
    session.close()
    assert found == list(range(BATCHES))
    assert reader.seen == BATCHES


def test_a_batch_that_cannot_be_run_is_an_error_where_it_is_asked_for(doubling):
    session = Ahead(doubling)
    feed = session.reader("x", [np.zeros((3, 5), np.float32)]).get_next()
    with pytest.raises(Exception, match="invalid dimensions"):
        session.run(None, feed)
    session.close()
