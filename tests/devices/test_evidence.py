"""Every described device and every board of published latencies has a profile; boards that differ are kept apart."""

from pathlib import Path

import pytest

from advisor.devices import load_device

HERE = Path(__file__).parent
SLUGS = (HERE / "evidence_slugs.txt").read_text(encoding="utf-8").split()
DESCRIBED = (HERE / "described_slugs.txt").read_text(encoding="utf-8").split()


def test_the_lists_are_whole() -> None:
    assert len(SLUGS) == len(set(SLUGS)) == 173
    assert len(DESCRIBED) == len(set(DESCRIBED)) == 109


@pytest.mark.parametrize("slug", DESCRIBED)
def test_every_described_device_has_a_profile(slug: str) -> None:
    device = load_device(slug)
    assert slug in (device.id, *device.aliases)


@pytest.mark.parametrize("slug", SLUGS)
def test_every_board_with_published_latencies_has_a_profile(slug: str) -> None:
    device = load_device(slug)
    assert slug in (device.id, *device.aliases)


APART = [
    ("raspberry-pi-5", "raspberry-pi-5-overclock", "Cortex-A76", 2.9),
    ("raspberry-pi-5", "raspberry-pi-5-oc2900", "Cortex-A76", 2.9),
    ("raspberry-pi-4b", "raspberry-pi-4b-oc1950", "Cortex-A72", 1.95),
    ("raspberry-pi-3b-plus", "raspberry-pi-3b", "Cortex-A53", 1.2),
    ("rk3566", "radxa-zero-3w", "Cortex-A55", 1.416),
    ("rk3588", "rk3588-little", "Cortex-A55", 1.8),
    ("rk3399", "rk3399-nanopc-t4-little", "Cortex-A53", 1.5),
    ("dimensity-9300", "dimensity-9300-little", "Cortex-A720", 2.0),
]


@pytest.mark.parametrize(("whole", "variant", "core", "ghz"), APART)
def test_a_variant_has_its_own_clock_and_peak(whole: str, variant: str, core: str, ghz: float) -> None:
    device, base = load_device(variant), load_device(whole)
    assert device.id == variant != base.id
    assert device.cpu is not None
    (cluster,) = device.cpu.cores
    assert (cluster.name, cluster.freq_ghz and cluster.freq_ghz.value) == (core, ghz)
    path, other = device.path("ncnn", "cpu"), base.path("ncnn", "cpu")
    assert path is not None
    assert other is not None
    assert path.peak_gmacs["fp32"].value != other.peak_gmacs["fp32"].value


@pytest.mark.parametrize("board", ["raspberry-pi-3b", "raspberry-pi-3b-plus", "raspberry-pi-4b"])
def test_a_32_bit_system_has_32_bit_cores_and_fewer_runtimes(board: str) -> None:
    device = load_device(f"{board}-32bit")
    assert device.cpu is not None
    assert device.cpu.arch == "armv7"
    assert {path.runtime for path in device.paths} == {"ncnn", "tflite"}


PATHS = [  # what the rows of a board show must be found in its profile
    ("samsung-galaxy-s24", "tflite", "npu", {"int8", "fp16"}),
    ("samsung-galaxy-s24", "onnxruntime", "npu", {"int8", "w8a16", "fp16"}),
    ("snapdragon-x-elite-crd", "qnn", "npu", {"int8", "w8a16", "fp16"}),
    ("dragonwing-q-6690-mtp", "qnn", "npu", {"int8", "w8a16"}),
    ("dragonwing-rb3-gen-2-vision-kit", "tflite", "npu", {"int8"}),
    ("snapdragon-835", "ncnn", "gpu", {"fp16", "fp32"}),
    ("banana-pi-m2-zero-2", "ncnn", "cpu", {"fp32", "int8"}),
    ("milkv-duo-sg2000", "ncnn", "cpu", {"fp32"}),
    ("rk3562", "rknn", "npu", {"int8", "fp16"}),
    ("nucleo-l4r5zi", "stm32cubeai", "mcu", {"int8", "fp32"}),
    ("xg24-dk2601b", "tflite-micro", "npu", {"int8"}),
    ("zedboard", "fpgaconvnet", "npu", {"int8"}),
]


@pytest.mark.parametrize(("slug", "runtime", "unit", "precisions"), PATHS)
def test_paths_are_those_that_were_measured(slug: str, runtime: str, unit: str, precisions: set[str]) -> None:
    path = load_device(slug).path(runtime, unit)
    assert path is not None
    assert set(path.precisions) == precisions


def test_a_chip_of_another_maker_inherits_no_hexagon() -> None:
    for name in ("dimensity-9300", "pixel-4"):
        assert not {"qnn"} & {path.runtime for path in load_device(name).paths}
        assert load_device(name).path("tflite", "npu") is None
