import pytest

from advisor.calibration.artefacts import Artefact
from advisor.calibration.collect import REFERENCE, collect
from advisor.calibration.timer import HostTimer
from advisor.progress import Silent

from .samples import convolutions


class Drifting:
    """A machine that gets slower by half on every second look; times are 1 ms for each byte of the model."""

    def __init__(self):
        self.looks = 0

    block = 8

    def open(self, model, threads):
        def run(seconds):
            return (len(model) * self.slowness() / threads,) * 3

        return run

    def slowness(self):
        return 1.5 if self.looks // 60 % 2 else 1.0

    def nodes(self, model, threads):
        self.looks += 20
        return ()

    def describe(self):
        return {}


def artefact(name, size):
    return Artefact(name, name, "fp32", convolutions(16, 8, 2), b"x" * size)


def test_a_slow_spell_is_told_from_a_slow_network():
    machine = Drifting()
    made = [artefact(REFERENCE, 10), artefact("a", 20), artefact("b", 40)]
    found = collect(made, machine, (1, 2), Silent())
    times = {(s.probe, s.threads): s.ms for s in found.samples}
    for threads in (1, 2):
        assert times["b", threads] / times["a", threads] == pytest.approx(2)
        assert times["a", threads] / times[REFERENCE, threads] == pytest.approx(2)
    assert set(found.reference_ms) == {1, 2}
    assert {s.block for s in found.samples} == {8}


def test_the_runtime_here_times_a_file_and_its_operations():
    onnx = pytest.importorskip("onnx")
    helper, kinds = onnx.helper, onnx.TensorProto
    shape = [1, 8]
    graph = helper.make_graph(
        [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Sigmoid", ["y"], ["z"])], "two",
        *([helper.make_tensor_value_info(name, kinds.FLOAT, shape)] for name in "xz"),
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9).SerializeToString()
    timer = HostTimer()
    assert all(ms >= 0 for ms in timer.open(model, 1)(0.001))
    assert {node.op_type for node in timer.nodes(model, 1)} == {"Relu", "Sigmoid"}
    assert all(node.written == 8 for node in timer.nodes(model, 1))
