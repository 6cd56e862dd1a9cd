"""Timing on this machine leaves the thread as it was."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from advisor.calibration.timer import HostTimer

TINY = 1e-310  # below the smallest normal double


def small_model() -> bytes:
    shape = [1, 4]
    node = helper.make_node("Relu", ["x"], ["y"])
    graph = helper.make_graph(
        [node], "g", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)
    onnx.checker.check_model(model)
    return model.SerializeToString()


@pytest.mark.parametrize("threads", [1, 2])
def test_small_numbers_stay_after_timing(threads):
    timer = HostTimer()
    run = timer.open(small_model(), threads)
    assert np.float64(TINY) * np.float64(0.5) > 0
    assert len(run(0.001)) >= 1
    timer.nodes(small_model(), threads)
    assert np.float64(TINY) * np.float64(0.5) > 0
