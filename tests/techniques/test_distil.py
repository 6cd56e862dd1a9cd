import dataclasses

import pytest

from advisor.errors import KnowledgeError, NotApplicable
from advisor.schema import Plan
from advisor.techniques.distil.presets import load_presets, preset
from advisor.techniques.distil.preview import preview
from advisor.techniques.distil.step import Distil
from advisor.techniques.students import load_students, student

from .builder import Net


def teacher(classes=10, channels=3, side=32, batch=1):
    net = Net(batch, channels, side, side)
    net.linear(net.mean(net.conv(0, "a", 8)), "head", classes)
    return net.done()


def real(name, classes=10, channels=3, side=32, joined=True):
    """Return the profile of the built student."""
    from advisor.profiling import profile_module
    from advisor.techniques.distil.building import Built, build_student

    module = build_student(Built(student=name, classes=classes, channels=channels, size=side, joined=joined))
    return profile_module(module, (1, channels, side, side))


# name: what is peculiar about it; then classes, colours and side of the images
STUDENTS = {
    "mobilenetv3_small_050": (10, 1, 32),  # squeeze-and-excitation, whose MACs do not follow the image
    "lcnet_050": (7, 3, 64),
    "repvgg_a0": (10, 1, 32),  # branches are joined
}


@pytest.mark.real
@pytest.mark.parametrize("name", STUDENTS)
def test_the_preview_of_another_size_and_colour_is_the_real_student(name):
    classes, channels, side = STUDENTS[name]
    planned = preview(Distil(student=f"timm:{name}", size=side), teacher(classes, channels))
    built = real(name, classes, channels, side)
    assert (planned.macs, planned.params) == (built.macs, built.params)
    assert planned.input_shapes == built.input_shapes


@pytest.mark.study
@pytest.mark.parametrize("entry", load_students(), ids=lambda entry: entry.name)
def test_every_student_is_built_as_previewed(entry):
    planned = preview(Distil(student=f"timm:{entry.name}"), teacher(37, 1))
    built = real(entry.name, 37, 1, entry.size)
    assert (planned.macs, planned.params) == (built.macs, built.params)


def test_as_published_is_the_usual_size():
    entry = student("lcnet_050")
    assert preview(Distil(student="timm:lcnet_050"), teacher(1000)).macs == entry.macs
    assert preview(Distil(student="timm:lcnet_050", size=entry.size), teacher(1000)).macs == entry.macs
    assert entry.reading(3, 32).size == 32
    assert entry.reading(3, 32).macs < entry.macs / 10


@pytest.mark.parametrize("name", ["deit_tiny_patch16_224", "efficientvit_b0", "tinynet_c"])
def test_the_cost_of_another_size_is_not_guessed(name):
    with pytest.raises(NotApplicable, match="160 px is not known"):
        preview(Distil(student=f"timm:{name}", size=160), teacher())


def test_what_reads_no_image_has_no_student():
    with pytest.raises(NotApplicable, match="read images"):
        preview(Distil(student="timm:lcnet_050"), Net(1, 8).done(0))


def test_a_plan_is_trained_as_the_survey_does_unless_it_says_otherwise():
    step = Distil(student="timm:x")
    assert (step.temperature, step.alpha) == (3.0, 0.9)
    given = {"name": "distil", "student": "timm:x", "temperature": 4.0}
    stored = Plan.model_validate({"steps": [given], "runtime": "onnxruntime"}).steps[0]
    assert (stored.temperature, stored.alpha, stored.epochs) == (4.0, 0.9, step.epochs)
    assert "at 64 px" in Distil(student="timm:x", size=64).label


@pytest.mark.parametrize("wrong", [{"size": 48}, {"size": 0}, {"alpha": 1.5}, {"batch": 1}, {"temperature": 0}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Distil(student="timm:x", **wrong)


def test_unknown_presets_get_a_suggestion():
    with pytest.raises(KnowledgeError, match="survey"):
        preset("survy")
    with pytest.raises(KnowledgeError, match="survy"):
        Distil(student="timm:x", preset="survy")


USUAL = (
    "{temperature: 3, alpha: 0.9, optimizer: adam, learning_rate: 0.1, weight_decay: 0, batch: 9, epochs: 1, source: a}"
)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("presets: {}", "sources"),
        (f"{{sources: {{}}, presets: {{x: {USUAL}}}}}", "no known source: 'a'"),
        (f"{{sources: {{a: {{what: b, where: c}}}}, presets: {{x: {USUAL.replace('adam', 'lion')}}}}}", "optimizer"),
        ("[", "parsing"),
    ],
)
def test_presets_that_cannot_be_read_say_why(tmp_path, text, why):
    file = tmp_path / "distillation.yaml"
    file.write_text(text)
    with pytest.raises(KnowledgeError, match=why):
        load_presets(file)


@pytest.mark.real
def test_the_settings_are_those_of_the_executor():
    from advisor.execution.training import Training
    from advisor.techniques.distil.apply import training

    own = training(Distil(student="timm:x", epochs=7))
    assert own.keys() <= {field.name for field in dataclasses.fields(Training)}
    settings = Training(epochs=7, **own)
    assert (settings.patience, settings.optimizer) == (7, "adam")


@pytest.mark.real
def test_joining_branches_leaves_the_answers():
    import copy

    import torch

    from advisor.techniques.distil.building import Built, build_student, join

    built = Built(student="mobileone_s0", classes=5, channels=1, size=32)
    branched = build_student(built)
    joined = copy.deepcopy(branched)
    join(joined)
    images = torch.rand(2, 1, 32, 32)
    with torch.inference_mode():
        torch.testing.assert_close(joined(images), branched(images), rtol=1e-3, atol=1e-4)
    again = build_student(built.model_copy(update={"joined": True})).state_dict()
    assert again.keys() == joined.state_dict().keys()
    assert len(again) < len(branched.state_dict())


@pytest.mark.real
@pytest.mark.parametrize("name", ["hf-hub:timm/resnet18.a1_in1k", "python:os:getcwd", "torchvision:resnet18"])
def test_only_students_of_the_list_are_built(name):
    from advisor.techniques.distil.building import Built, build_student

    with pytest.raises(KnowledgeError, match="unknown student"):
        build_student(Built(student=name, classes=5, channels=3, size=32))


@pytest.mark.real
@pytest.mark.parametrize(
    ("change", "why"), [({"module": None}, "not an ONNX file"), ({"workload": "map"}, "classifiers")]
)
def test_what_cannot_teach_is_refused(change, why):
    from torch import nn

    from advisor.techniques.distil.apply import apply
    from advisor.techniques.subject import Subject

    net = Net(1, 3, 32, 32)
    net.conv(0, "a", 8)
    given = {"module": nn.Identity(), "workload": teacher()} | change
    if given["workload"] == "map":
        given["workload"] = net.done()
    with pytest.raises(NotApplicable, match=why):
        apply(Distil(student="timm:lcnet_050", size=32), Subject((1, 3, 32, 32), folder=None, **given))
