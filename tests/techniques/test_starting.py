"""What a ready-made network starts from: files for other classes and colours, and weights that cannot be had."""

import pytest

from advisor.errors import AdvisorError, NotApplicable
from advisor.techniques.distil.building import Built, build_student
from advisor.techniques.distil.starting import started

pytestmark = pytest.mark.real

BUILT = Built(student="lcnet_050", classes=10, channels=1, size=32)


def saved(tmp_path, **described):
    """Store weights of a network of this description, all shifted from those of a new one."""
    import torch
    from safetensors.torch import save_file

    module = build_student(BUILT.model_copy(update=described))
    with torch.no_grad():
        for tensor in module.parameters():
            tensor.add_(0.01)
    file = tmp_path / "weights.safetensors"
    save_file({name: tensor.contiguous() for name, tensor in module.state_dict().items()}, file)
    return module, str(file)


def test_weights_for_the_same_classes_and_colours_are_taken_whole(tmp_path):
    import torch

    module, file = saved(tmp_path)
    begun = started(BUILT, file)
    assert begun.answers
    assert all(torch.equal(value, begun.module.state_dict()[name]) for name, value in module.state_dict().items())


def test_other_classes_get_a_new_classifier_and_other_colours_an_adapted_stem(tmp_path):
    import torch

    module, file = saved(tmp_path, classes=7, channels=3)
    begun = started(BUILT, file)
    theirs, mine = module.state_dict(), begun.module.state_dict()
    assert not begun.answers
    assert mine["classifier.weight"].shape[0] == 10
    torch.testing.assert_close(mine["conv_stem.weight"], theirs["conv_stem.weight"].sum(1, keepdim=True))
    changed = {name for name, value in mine.items() if value.shape != theirs[name].shape}
    assert changed == {"classifier.weight", "classifier.bias", "conv_stem.weight"}
    again = started(BUILT, file).module.state_dict()
    assert all(torch.equal(value, again[name]) for name, value in mine.items())


def test_a_transformer_of_another_size_is_begun_from_a_file(tmp_path):
    module, file = saved(tmp_path, student="deit_tiny_patch16_224", channels=3, size=64)
    begun = started(Built(student="deit_tiny_patch16_224", classes=10, channels=3, size=96), file)
    assert module.pos_embed.shape[1] == 17
    assert begun.module.pos_embed.shape[1] == 37


def test_weights_of_another_network_are_refused(tmp_path):
    _, file = saved(tmp_path, student="resnet10t")
    with pytest.raises(AdvisorError, match="lcnet_050"):
        started(BUILT, file)
    with pytest.raises(AdvisorError):
        started(BUILT, str(tmp_path / "missing.pt"))


def test_published_weights_that_cannot_be_had_name_the_way_out(monkeypatch):
    def offline(*args, **settings):
        assert args == ("lcnet_050.ra2_in1k",)
        assert settings["pretrained"]
        raise OSError("no route to host")

    monkeypatch.setattr("timm.create_model", offline)
    with pytest.raises(NotApplicable, match=r"lcnet_050\.ra2_in1k cannot be had here") as refused:
        started(BUILT, "pretrained")
    assert "give the file" in refused.value.remedy
    assert "no route to host" in refused.value.where


@pytest.mark.parametrize(("classes", "answers"), [(1000, True), (10, False)])
def test_published_weights_tell_how_their_images_were_prepared(monkeypatch, classes, answers):
    import timm

    create = timm.create_model
    monkeypatch.setattr("timm.create_model", lambda name, **given: create(name, **given | {"pretrained": False}))
    begun = started(BUILT.model_copy(update={"classes": classes}), "pretrained")
    assert begun.answers is answers
    assert begun.normalised == ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
