import numpy as np
import onnx
import pytest

from advisor import runtimes
from advisor.errors import NotApplicable, RunError

from .graphs import write_linear


@pytest.fixture(scope="module")
def ort():
    return runtimes.get("onnxruntime")


def test_unknown_runtimes_are_refused_with_the_nearest_name():
    with pytest.raises(NotApplicable, match="Did you mean onnxruntime"):
        runtimes.get("onnxrutime")
    with pytest.raises(NotApplicable, match="'tensorrt' does not run on this machine"):
        runtimes.get("tensorrt")


def test_a_session_computes_the_graph(ort, tmp_path):
    path = write_linear(tmp_path / "m.onnx", 4, 3, batch=2)
    session = ort.load(path)
    weight = onnx.numpy_helper.to_array(onnx.load(path).graph.initializer[0])
    batch = np.random.default_rng(1).standard_normal((2, 4)).astype(np.float32)
    assert session.input_shape == (2, 4)
    np.testing.assert_allclose(session(batch), batch @ weight + 1, rtol=1e-5)


def test_a_damaged_file_is_refused_with_its_name(ort, tmp_path):
    (tmp_path / "bad.onnx").write_bytes(b"nonsense")
    with pytest.raises(RunError, match=r"cannot open the file.*bad\.onnx"):
        ort.load(tmp_path / "bad.onnx")


def test_placement_counts_float_products(ort, tmp_path):
    found = ort.placement(write_linear(tmp_path / "m.onnx", 4, 3))
    assert (found.heavy_float, found.heavy_int8, found.int8_share) == (1, 0, 0.0)


@pytest.mark.real
class TestExport:
    @pytest.fixture(scope="class")
    def net(self):
        import torch
        from torch import nn

        torch.manual_seed(0)
        net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                            nn.Linear(8, 5))  # fmt: skip
        net[1].running_mean.uniform_(-1, 1)
        net[1].running_var.uniform_(0.5, 2)
        return net.train()

    @pytest.mark.parametrize(("opset", "written"), [(None, (18, 20)), (18, (18,)), (13, (13,))])
    def test_the_file_computes_what_torch_computes(self, ort, net, tmp_path, opset, written):
        import torch

        path = ort.export(net, (2, 3, 8, 8), tmp_path / "net.onnx", opset=opset)
        batch = np.random.default_rng(0).standard_normal((2, 3, 8, 8)).astype(np.float32)
        assert net.training  # the module given is left as it was
        with torch.inference_mode():
            expected = __import__("copy").deepcopy(net).eval()(torch.from_numpy(batch)).numpy()
        np.testing.assert_allclose(ort.load(path)(batch), expected, atol=1e-5)
        model = onnx.load(path)
        assert model.opset_import[0].version in written
        assert "BatchNormalization" not in {node.op_type for node in model.graph.node}
        assert [p.name for p in tmp_path.iterdir()] == ["net.onnx"]  # one file, nothing left beside it

    def test_attention_reaches_old_opsets_too(self, ort, tmp_path):
        import timm

        net = timm.create_model(
            "vit_tiny_patch16_224", img_size=32, patch_size=16, embed_dim=32, depth=1, num_heads=2, num_classes=4
        )
        ort.export(net, (1, 3, 32, 32), tmp_path / "vit.onnx", opset=13)
        assert ort.load(tmp_path / "vit.onnx")(np.zeros((1, 3, 32, 32), np.float32)).shape == (1, 4)
        assert net.blocks[0].attn.fused_attn in (True, 1)

    def test_a_module_that_cannot_be_exported_is_refused_and_leaves_nothing(self, ort, tmp_path):
        from torch import nn

        class Odd(nn.Module):
            def forward(self, x):
                return x if x.sum().item() > len(str(x)) else -x

        with pytest.raises(NotApplicable, match="cannot be exported"):
            ort.export(Odd(), (1, 3, 8, 8), tmp_path / "odd.onnx")
        assert list(tmp_path.iterdir()) == []

    def test_pytorch_archives_compute_the_same(self, net, tmp_path):
        torch_runtime, ort = runtimes.get("pytorch"), runtimes.get("onnxruntime")
        archive = torch_runtime.export(net, (1, 3, 8, 8), tmp_path / "net.pt2")
        file = ort.export(net, (1, 3, 8, 8), tmp_path / "net.onnx")
        batch = np.random.default_rng(0).standard_normal((1, 3, 8, 8)).astype(np.float32)
        session = torch_runtime.load(archive)
        assert session.input_shape == (1, 3, 8, 8)
        np.testing.assert_allclose(session(batch), ort.load(file)(batch), atol=1e-5)
        assert torch_runtime.placement(archive).heavy_float == 2
