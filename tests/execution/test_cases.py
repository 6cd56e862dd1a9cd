"""Quantization on trained networks: a tiny ViT, and the CIFAR ResNet-20 of the shared cases where they are there."""

import numpy as np
import pytest

from advisor.techniques.dynamic_int8.step import DynamicInt8
from advisor.techniques.static_int8.step import StaticInt8
from advisor.techniques.subject import Subject

from .shared_cases import CASES, resnet20, unpack

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def vit(tmp_path_factory):
    import timm
    import torch

    from advisor import runtimes

    torch.manual_seed(0)
    net = timm.create_model(
        "vit_tiny_patch16_224", img_size=32, patch_size=8, embed_dim=64, depth=2, num_heads=2, num_classes=10
    )
    folder = tmp_path_factory.mktemp("vit")
    return runtimes.get("onnxruntime").export(net, (1, 3, 32, 32), folder / "vit.onnx"), folder


def calibration(count):
    random = np.random.default_rng(0)
    return (random.standard_normal((1, 3, 32, 32)).astype(np.float32) for _ in range(min(count, 16)))


def alike(first, second):
    from advisor import runtimes

    load = runtimes.get("onnxruntime").load
    batch = np.random.default_rng(9).standard_normal((1, 3, 32, 32)).astype(np.float32)
    return np.corrcoef(load(first)(batch).ravel(), load(second)(batch).ravel())[0, 1]


def test_dynamic_int8_quantizes_the_products_of_a_vit_and_nothing_else(vit):
    from advisor import runtimes
    from advisor.techniques.dynamic_int8.apply import apply

    source, folder = vit
    change = apply(DynamicInt8(), Subject((1, 3, 32, 32), folder, onnx=source))
    assert change.details == {"integer_products": 9, "float_convolutions": 1}
    assert change.onnx.stat().st_size < 0.45 * source.stat().st_size
    assert runtimes.get("onnxruntime").placement(change.onnx).heavy_int8 == 9
    assert alike(source, change.onnx) > 0.99


def test_dynamic_int8_refuses_a_network_without_products(tmp_path):
    import torch

    from advisor import runtimes
    from advisor.errors import NotApplicable
    from advisor.techniques.dynamic_int8.apply import apply

    source = runtimes.get("onnxruntime").export(torch.nn.Conv2d(3, 4, 3), (1, 3, 8, 8), tmp_path / "c.onnx")
    with pytest.raises(NotApplicable, match="no matrix product"):
        apply(DynamicInt8(), Subject((1, 3, 8, 8), tmp_path, onnx=source))


def test_static_int8_leaves_norms_and_gelu_of_a_vit_in_float(vit):
    from advisor.techniques.static_int8.apply import apply

    source, folder = vit
    change = apply(StaticInt8(signedness="u8s8"), Subject((1, 3, 32, 32), folder, onnx=source, calibration=calibration))
    from advisor.runtimes.onnxruntime import executed_ops

    ops = executed_ops(change.onnx)
    assert ops["LayerNormalization"] + ops["SkipLayerNormalization"] == 5
    assert ops["Gelu"] == 2
    assert ops["QLinearMatMul"] + ops["QGemm"] >= 9
    assert alike(source, change.onnx) > 0.9


@pytest.mark.parametrize("method", ["minmax", "percentile", "entropy"])
def test_every_calibration_method_gives_a_working_file(vit, method, capsys):
    from advisor.techniques.static_int8.apply import apply

    source, folder = vit
    step = StaticInt8(signedness="u8s8", method=method, calibration_images=9, float_kinds=("matmul",))
    change = apply(step, Subject((1, 3, 32, 32), folder, onnx=source, calibration=calibration))
    assert change.details["calibration_images"] == 9
    assert alike(source, change.onnx) > 0.5
    assert capsys.readouterr().out == ""
    assert not (folder / "ranges.json").exists()


@pytest.mark.skipif(not CASES.is_dir(), reason="the shared cases are not here")
def test_static_int8_of_a_trained_resnet20_loses_under_a_point(tmp_path):
    from advisor.loading.preprocessing import Preprocessing
    from advisor.schema import Plan
    from tests.execution.digits import loaded
    from tests.execution.journeys import run

    unpack("calib", tmp_path / "calib", 200)
    unpack("eval", tmp_path / "eval", 1000)
    model = loaded(module=resnet20(), shape=(1, 3, 32, 32), preprocessing=Preprocessing(size=(32, 32)))
    step = StaticInt8(signedness="u8s8", calibration_images=128)
    record, _ = run(Plan(steps=(step,), runtime="onnxruntime"), model=model, data=tmp_path)
    assert record.data.test == 1000
    assert 83 < record.accuracy["original"] < 90  # 86.82 on all 5000
    assert record.accuracy["shipped"] > record.accuracy["original"] - 1
    files = {a.role: a.bytes for a in record.artefacts}
    assert files["shipped"] < 0.4 * files["baseline"]
    assert all(check.agrees for check in record.checks)
