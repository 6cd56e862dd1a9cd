"""A ready-made network in place of the original: trained on labels, or used as it is."""

import numpy as np
import pytest

from advisor.errors import NotApplicable
from advisor.loading.preprocessing import Preprocessing
from advisor.schema import Plan
from advisor.techniques.static_int8.step import StaticInt8
from advisor.techniques.swap.step import Swap

from .digits import SIZE, loaded
from .journeys import fast_measurement, run  # noqa: F401 - a fixture
from .test_distil import few_images, weights_file

pytestmark = pytest.mark.real


def plan(*further, **settings):
    step = Swap(**{"student": "timm:lcnet_050", "size": 32, "batch": 32} | settings)
    return Plan(steps=(step, *further), runtime="onnxruntime")


def test_given_weights_ship_as_they_are_and_load_again_without_the_original():
    import torch
    from safetensors.torch import load_file

    from advisor import runtimes
    from advisor.execution import load_pruned

    record, out = run(plan(weights=str(weights_file())), data=few_images())
    details = record.steps[0].details
    assert all(check.agrees for check in record.checks), record.checks
    assert details["classifier_kept"]
    assert "epochs" not in details
    assert "batch_norms_reestimated" not in details
    assert record.accuracy["shipped"] > 30
    given, kept = load_file(weights_file()), load_file(out / "weights.safetensors")
    assert all(torch.equal(tensor, kept[name]) for name, tensor in given.items())
    batch = np.random.default_rng(0).standard_normal((1, 1, 32, 32)).astype(np.float32)
    with torch.inference_mode():
        expected = load_pruned(out)(torch.from_numpy(batch)).numpy()
    found = runtimes.get("onnxruntime").load(out / "model.onnx", 1)(batch)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3)


def test_labels_alone_teach_and_the_original_may_know_nothing(monkeypatch):
    record, out = run(
        plan(StaticInt8(signedness="u8s8"), weights="random", epochs=1),
        model=loaded(random_weights=True),
        data=few_images(),
    )
    details = record.steps[0].details
    assert "teacher_validation_top1" not in details
    assert details["epochs"] == 1
    assert details["validation_top1_before"] < 30
    assert (out / "model.onnx").stat().st_size < 0.4 * (out / "float.onnx").stat().st_size


def test_a_classifier_for_other_classes_is_not_used_untrained():
    from torch import nn

    from advisor.profiling import profile_module
    from advisor.techniques.subject import Subject
    from advisor.techniques.swap.apply import apply

    module = nn.Sequential(nn.Conv2d(1, 8, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 7)).eval()
    shape = (1, 1, SIZE, SIZE)
    subject = Subject(shape, folder=None, module=module, workload=profile_module(module, shape))
    step = plan(weights=str(weights_file())).steps[0]
    with pytest.raises(NotApplicable, match="other classes") as refused:
        apply(step, subject)
    assert "epochs" in refused.value.remedy
    assert not apply(step.model_copy(update={"epochs": 1}), subject).details["classifier_kept"]


def test_published_weights_are_not_used_on_images_prepared_otherwise(monkeypatch):
    import timm

    from advisor.profiling import profile_module
    from advisor.techniques.subject import Subject
    from advisor.techniques.swap.apply import apply

    create = timm.create_model
    monkeypatch.setattr("timm.create_model", lambda name, **given: create(name, **given | {"pretrained": False}))
    module, shape = create("resnet10t"), (1, 3, 64, 64)
    step = Swap(student="timm:lcnet_050", size=64)
    given = {"module": module, "workload": profile_module(module, shape), "folder": None}
    fits = apply(step, Subject(shape, preprocessing=Preprocessing((64, 64)), **given))
    assert "timm's weights lcnet_050" in fits.done
    other = Preprocessing((64, 64), mean=(0.5,) * 3, std=(0.5,) * 3)
    with pytest.raises(NotApplicable, match="trained on images with mean"):
        apply(step, Subject(shape, preprocessing=other, **given))
    grey = Preprocessing((SIZE, SIZE), mean=(0.3,), std=(0.3,))
    with pytest.raises(NotApplicable, match="trained on images with mean"):
        apply(step, Subject(shape, preprocessing=grey, **given))
    assert apply(step.model_copy(update={"epochs": 1}), Subject(shape, preprocessing=other, **given)).module


def test_random_weights_need_a_training():
    with pytest.raises(ValueError, match="epochs"):
        Swap(student="timm:lcnet_050", weights="random")
