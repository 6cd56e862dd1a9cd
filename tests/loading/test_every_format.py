"""Every supported format over sixteen architectures: each file opens, is known for what it is, and counts right."""

import functools

import pytest

from advisor.intake import open_model
from advisor.profiling import profile_module

from .formats import FORMATS, NETWORKS, SIDE, files, gzipped, network, write

pytestmark = pytest.mark.real
SHAPE = (1, 3, SIDE, SIDE)


@functools.cache
def expected(name):
    workload = profile_module(network(name), SHAPE)
    return workload.macs, workload.params


def test_there_are_at_least_sixty_files_of_fifteen_architectures():
    assert len(files()) >= 60
    assert len({net for _, net in files()}) >= 15
    assert set(NETWORKS) == {net for _, net in files()}


@pytest.mark.parametrize(("form", "net"), files(), ids=[f"{form} of {net}" for form, net in files()])
def test_a_file_is_opened_recognised_and_counted(tmp_path, form, net):
    path = write(tmp_path, form, net)
    opened = open_model(path, 1, {"input_shape": SHAPE})
    intake, workload = opened.intake, opened.workload
    macs, params = expected(net)
    assert intake.format == FORMATS[form][3]
    assert intake.classes == 7
    assert intake.task == "classification"
    assert not intake.random_weights
    assert [i.shape for i in intake.inputs] == [SHAPE]
    # Exporters compute in advance what depends on no image (EdgeNeXt's position encoding).
    assert workload.macs == pytest.approx(macs, rel=0.02 if intake.format == "onnx" else 0)
    if intake.format == "onnx":
        # Exporters fold batch norms into convolutions, and quantizers add biases or drop them.
        assert workload.params == pytest.approx(params, rel=0.06)
        assert intake.quantized is ("Q" in form.partition(" ")[2][:1])
    else:
        assert workload.params == params
        assert intake.quantized is False
    if form in ("state dict", "checkpoint", "ema", "old state dict", "safetensors"):
        assert net in (intake.arch, *intake.twins)
    can = {ability.action for ability in intake.abilities if ability.possible}
    assert ("prune" in can) is (intake.format == "torch")
    assert ("quantize" in can) is not intake.quantized


def test_opening_again_from_the_spec_gives_the_same(tmp_path):
    path = write(tmp_path, "ema", "timm:resnet10t")
    first = open_model(path, 1, {"input_shape": SHAPE})
    spec = dict(first.spec)
    again = open_model(spec.pop("spec"), spec.pop("batch"), spec)
    assert again == first


def test_a_compressed_file_says_how_to_unpack_it(tmp_path):
    from advisor.errors import ModelLoadError

    with pytest.raises(ModelLoadError, match="gunzip"):
        open_model(gzipped(write(tmp_path, "state dict", "timm:resnet10t")), 1, {})
