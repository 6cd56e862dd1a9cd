"""Reshapes that pnnx lets compute their sizes while the network runs get plain sizes."""

import json

import numpy as np
import pytest

from advisor.errors import RunError
from advisor.runtimes import ncnn_shapes
from advisor.runtimes.ncnn_param import read_param
from advisor.runtimes.ncnn_shapes import with_sizes

LINEAR = """7767517
6 7
Input                    in0                      0 1 in0 0=96 1=4 2=5
Split                    split                    1 2 in0 1 2
Reshape                  flat                     1 1 1 3 6="0w,-1"
Gemm                     gemm                     1 1 3 4 7=20 8=8 9=96
Reshape                  back                     2 1 4 2 5 6="0w,1h,1c"
ReLU                     relu                     1 1 5 out0
"""
SHAPES = {"3": {"w": 96, "h": 20}, "5": {"w": 8, "h": 4, "c": 5}}


def told(_module, _file, *names):
    return json.dumps({name: SHAPES[name] for name in names})


def test_sizes_are_written_and_copies_for_their_sake_go(tmp_path, monkeypatch):
    monkeypatch.setattr(ncnn_shapes, "python_apart", told)
    made = {layer.name: layer for layer in with_sizes(read_param(LINEAR), tmp_path, b"").layers}
    assert made["flat"].settings == {"0": "96", "1": "20"}
    assert made["back"].settings == {"0": "8", "1": "4", "2": "5"}
    assert made["back"].inputs == ("4",)
    assert made["split"].outputs == ("1",)  # the other copy would be taken for an output of the network


def test_where_ncnn_cannot_run_or_a_blob_is_an_output_too_nothing_changes(tmp_path, monkeypatch):
    def refuse(*_):
        raise RunError("no")

    monkeypatch.setattr(ncnn_shapes, "python_apart", refuse)
    assert with_sizes(read_param(LINEAR), tmp_path, b"") == read_param(LINEAR)
    monkeypatch.setattr(ncnn_shapes, "python_apart", told)
    shared = LINEAR.replace("2 1 4 2 5 6", "2 1 4 3 5 6")  # sizes of a blob that is no copy
    made = {layer.name: layer for layer in with_sizes(read_param(shared), tmp_path, b"").layers}
    assert made["back"].inputs == ("4", "3")


@pytest.mark.real
def test_a_network_with_linear_layers_over_pixels_computes_the_same(tmp_path):
    pytest.importorskip("ncnn")
    pytest.importorskip("pnnx")
    import torch
    from torch import nn

    from advisor import runtimes
    from advisor.runtimes.onnx_export import export_onnx

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.linear = nn.Conv2d(3, 16, 1), nn.Linear(16, 32)

        def forward(self, images):
            return self.linear(self.first(images).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)

    torch.manual_seed(0)
    onnx = export_onnx(Block().eval(), (1, 3, 8, 12), tmp_path / "net.onnx")
    made = runtimes.get("ncnn").convert(onnx, tmp_path / "net.param")
    assert '6="' not in made.read_text()
    batch = np.random.default_rng(0).standard_normal((1, 3, 8, 12)).astype(np.float32)
    found, expected = (runtimes.get(n).load(f).outputs(batch) for n, f in (("ncnn", made), ("onnxruntime", onnx)))
    assert len(found) == 1
    np.testing.assert_allclose(found[0], expected[0], atol=1e-5)
