from typing import ClassVar

import pytest

from advisor.errors import DataError, NotApplicable, RunError
from advisor.schema import Plan, Step
from advisor.techniques.dynamic_int8.step import DynamicInt8
from advisor.techniques.half.step import Half
from advisor.techniques.prune_channels.step import PruneChannels
from advisor.techniques.prune_transformer.step import PruneTransformer
from advisor.techniques.static_int8.step import StaticInt8

from .digits import build, digits_dir, loaded

pytestmark = pytest.mark.real

PRUNE, INT8 = PruneChannels(ratio=0.5), StaticInt8()


def onnx_model(tmp_path):
    model = loaded(module=build(), format="onnx", onnx_path=tmp_path / "m.onnx")
    object.__setattr__(model, "module", None)
    return model


def plan(*steps, runtime="onnxruntime"):
    return Plan(steps=steps, runtime=runtime)


def refused(host, tmp_path, plan, *, model=None, data=None, error=NotApplicable):
    from advisor.execution import apply_plan

    with pytest.raises(error) as caught:
        apply_plan(plan, model or loaded(module=build()), data_dir=data, out=tmp_path / "out", device=host)
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".out*"))
    return str(caught.value)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ((PruneTransformer(mlp_ratio=0.3, epochs=0),), "prune_transformer finds nothing to cut"),
        ((PRUNE,), "prune_channels needs labelled training images"),
        ((INT8,), "static_int8 needs calibration images"),
        ((INT8, PruneChannels(ratio=0.5, epochs=0)), "static_int8 needs calibration images"),
        ((Half(), PruneChannels(ratio=0.5, epochs=0)), "prune_channels comes after half"),
        ((DynamicInt8(), PruneChannels(ratio=0.5, epochs=0)), "prune_channels comes after dynamic_int8"),
        ((PruneChannels(ratio=0.01, round_to=64, epochs=0),), "finds nothing to cut"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_be_done_without_data_is_refused(host, tmp_path, steps, said):
    assert said in refused(host, tmp_path, plan(*steps))


def test_a_technique_that_brings_no_way_to_do_it_is_refused(host, tmp_path):
    class Dream(Step):
        label: ClassVar[str] = "dream of a smaller network"

    said = refused(host, tmp_path, Plan.model_construct(steps=(Dream(),), runtime="onnxruntime"))
    assert "dream of a smaller network) can be recommended but not carried out by this version" in said


def test_pruning_an_onnx_file_is_refused(host, tmp_path):
    said = refused(host, tmp_path, plan(PRUNE), model=onnx_model(tmp_path), data=digits_dir())
    assert "prune_channels needs the torch module; an ONNX file is not enough" in said


def test_quantized_plans_do_not_run_in_pytorch(host, tmp_path):
    said = refused(host, tmp_path, plan(INT8, runtime="pytorch"), data=digits_dir())
    assert "static_int8 gives an ONNX file" in said


def test_unlabelled_images_do_not_train(host, tmp_path):
    from PIL import Image

    folder = tmp_path / "flat"
    folder.mkdir()
    for i in range(4):
        Image.new("L", (16, 16)).save(folder / f"{i}.png")
    assert "prune_channels needs labelled training images" in refused(host, tmp_path, plan(PRUNE), data=folder)


def test_test_images_alone_do_not_calibrate(host, tmp_path):
    from PIL import Image

    for name in ("a", "b"):
        folder = tmp_path / "data" / "test" / name
        folder.mkdir(parents=True)
        Image.new("L", (16, 16)).save(folder / "0.png")
    said = refused(host, tmp_path, plan(INT8), data=tmp_path / "data")
    assert "holds test images only" in said


def test_labels_that_do_not_fit_the_head_are_refused(host, tmp_path):
    said = refused(host, tmp_path, plan(INT8), model=loaded(classes=4), data=digits_dir(), error=DataError)
    assert "the data have 10 classes, the model has 4 outputs" in said


def test_a_folder_that_is_not_ours_is_left_alone(host, tmp_path):
    from advisor.execution import apply_plan

    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("important")
    with pytest.raises(RunError, match="not empty and no run of advisor"):
        apply_plan(plan(), loaded(), data_dir=None, out=tmp_path / "out", device=host)
    assert (tmp_path / "out" / "thesis.txt").read_text() == "important"
