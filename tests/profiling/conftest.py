import pytest

from advisor.profiling import profile_onnx

from .graphs import write


@pytest.fixture
def profiled(tmp_path):
    def run(nodes, stored=None, **options):
        shape = options.pop("input_shape", None)
        return profile_onnx(write(tmp_path / "net.onnx", nodes, stored, **options), input_shape=shape)

    return run
