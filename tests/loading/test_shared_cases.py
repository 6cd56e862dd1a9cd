"""Real trained networks outside the repository; skipped where they are absent."""

import sys
from pathlib import Path

import pytest
import torch

from advisor.errors import ModelLoadError, UnknownNetwork
from advisor.loading import load
from advisor.profiling import family, profile

CASES = Path(__file__).parents[3] / "shared" / "cases"
MODELS = CASES / "models"
pytestmark = [pytest.mark.real, pytest.mark.skipif(not MODELS.is_dir(), reason="the shared cases are not here")]


@pytest.fixture
def nets(monkeypatch):
    monkeypatch.syspath_prepend(str(CASES))
    yield pytest.importorskip("nets")
    sys.modules.pop("nets", None)


def test_the_pickled_module_is_refused_without_trust():
    with pytest.raises(ModelLoadError, match=r"nets\.ResNetCifar.*--trust"):
        load(MODELS / "resnet20_module.pt")


def test_the_pickled_module_loads_with_trust(nets):
    loaded = load(MODELS / "resnet20_module.pt", trust=True, input_shape=(3, 32, 32))
    assert loaded.classes == 10


def test_trust_without_the_source_names_the_remedy():
    with pytest.raises(ModelLoadError, match="PYTHONPATH"):
        load(MODELS / "resnet20_module.pt", trust=True)


def test_the_state_dict_fits_no_timm_network_and_says_why():
    with pytest.raises(ModelLoadError, match="does not fit timm:resnet18"):
        load(MODELS / "resnet20_cifar10jpeg.pth", arch="resnet18")


@pytest.mark.parametrize("name", ["resnet20_script.pt", "resnet20_export.pt2"])
def test_archives_count_what_the_network_counts_and_compute_what_it_computes(nets, name):
    loaded = load(MODELS / name, input_shape=(3, 32, 32))
    assert profile(loaded).macs == profile(load(nets.ResNetCifar(), input_shape=(3, 32, 32))).macs
    module = nets.ResNetCifar().eval()
    module.load_state_dict(torch.load(MODELS / "resnet20_cifar10jpeg.pth", weights_only=True))
    x = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(loaded.module(x), module(x))


def test_weights_of_a_network_of_ones_own_take_a_function_that_makes_it(nets):
    path = MODELS / "mobilenet_cifar10jpeg.pth"
    with pytest.raises(UnknownNetwork, match=r"not recognised.*python:MODULE:FUNCTION"):
        load(path)
    with pytest.raises(ModelLoadError, match="only on your word"):
        load(path, arch="python:nets:CifarMobileNet")
    loaded = load(path, arch="python:nets:CifarMobileNet", trust=True, input_shape=(3, 32, 32))
    assert (loaded.classes, loaded.random_weights) == (10, False)


def test_the_cifar_networks_profile_from_python(nets):
    workload = profile(load(nets.ResNetCifar(), input_shape=(3, 32, 32)))
    # He et al. 2015: stem 3x3x3x16 on 32x32, three stages of 6 convolutions, 64x10 classifier
    stage = 16 * 16 * 9 * 32 * 32
    first_of_wider_stages = 2 * (stage // 2)
    assert workload.macs == 27 * 16 * 1024 + 16 * stage + first_of_wider_stages + 640
    assert workload.params == 269722
    assert family(workload) == "residual_cnn"
    assert family(profile(load(nets.CifarMobileNet(), input_shape=(3, 32, 32)))) == "depthwise_cnn"
