"""The fused graph against onnxruntime's own, and file sizes against real files, on small networks of five families."""

import importlib
import sys
from functools import cache
from pathlib import Path

import pytest

from advisor.prediction.size import figures, size_bytes

pytestmark = pytest.mark.real
BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
FORMATS = {"fp32": "onnx", "fp16": "onnx-fp16", "int8": "onnx-int8", "int8-dynamic": "onnx-dynamic"}
NETWORKS = {
    "resnet10t": {},
    "mobilenetv3_small_050": {},  # squeeze-and-excite, hard-swish, channels that miss the block
    "lcnet_035": {},
    "vit_tiny_patch16_224": {"depth": 2, "img_size": 64},
    "convnext_atto": {"depths": (1, 1, 1, 1)},
}


@pytest.fixture(scope="module")
def check():
    """The comparison of the benchmark."""
    pytest.importorskip("timm")
    pytest.importorskip("onnxruntime")
    sys.path.insert(0, str(BENCHMARKS))
    try:
        yield importlib.import_module("fusion")
    finally:
        sys.path.remove(str(BENCHMARKS))


@cache
def made(name):
    """Return the planned networks and the files by form."""
    import artefacts
    import timm

    module = artefacts.distinct(timm.create_model(name, **NETWORKS[name]).eval())
    shape = (1, 3, 64, 64)
    return artefacts.plan_forms(module, shape, name), artefacts.make_files(module, shape)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("form", ["fp32", "int8", "int8-dynamic"])
def test_nodes_agree_with_onnxruntime(check, name, form):
    planned, files = made(name)
    case = check.case(name, form, files[form]["nodes"], planned[form])
    known = set(case.known) - ({"quantize"} if name.startswith("convnext") else set())  # rescaling between two forms
    assert {key: case.ours[key] for key in known} == {key: case.theirs[key] for key in known}


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("form", FORMATS)
def test_sizes_agree_with_files(check, name, form):
    planned, files = made(name)
    weights, graph = size_bytes(planned[form], figures().formats[FORMATS[form]])
    assert weights + graph == pytest.approx(files[form]["bytes"], rel=0.02)
