"""Properties that every shipped profile must have."""

from typing import get_args

import pytest

from advisor.devices import list_devices, load_device, profile_digest
from advisor.schema import Device
from advisor.schema.device import Precision

DEVICES = list_devices()
FLOATS = {"fp32", "fp16", "bf16", "fp8"}
# GMAC/s of the fastest listed path, by kind: wide, but a factor of 1000 or TOPS taken for GMAC/s falls outside
PEAK_RANGE = {
    "x86": (3, 250_000),
    "computer": (1, 60_000),
    "sbc": (2, 60_000),
    "gpu-soc": (100, 600_000),
    "gpu-card": (500, 500_000),
    "npu-accelerator": (500, 120_000),
    "camera-soc": (1, 12_000),
    "phone": (5, 20_000),
    "mcu": (0.01, 20),
    "mcu-npu": (0.1, 2_000),
    "fpga": (200, 4_000),
}


def device_ids(devices: tuple[Device, ...]) -> list[str]:
    return [device.id for device in devices]


each_device = pytest.mark.parametrize("device", DEVICES, ids=device_ids(DEVICES))


def test_there_are_devices_of_every_kind() -> None:
    assert len(DEVICES) >= 220
    assert {device.kind for device in DEVICES} == set(PEAK_RANGE)


def test_ids_and_aliases_are_unique() -> None:
    names = [name for device in DEVICES for name in (device.id, *device.aliases)]
    assert len(names) == len(set(names))


@each_device
def test_every_alias_leads_to_its_device(device: Device) -> None:
    assert all(load_device(alias).id == device.id for alias in device.aliases[:1])


@each_device
def test_every_figure_has_an_origin(device: Device) -> None:
    for place, figure in device.figures.items():
        known = figure.source in device.sources
        assert known or figure.formula or figure.basis == "assumed", f"{device.id} {place}"
        assert figure.value > 0, f"{device.id} {place}"


@each_device
def test_a_profile_says_what_decides_there(device: Device) -> None:
    assert 1 <= device.notes.count(". ") + 1 <= 5
    assert len(device.notes) > 40


@each_device
def test_good_profiles_rest_on_sources(device: Device) -> None:
    if device.confidence == "good":
        assert device.sources


@each_device
def test_peaks_lie_in_the_range_of_the_kind(device: Device) -> None:
    peaks = [figure.value for path in device.paths for figure in path.peak_gmacs.values()]
    low, high = PEAK_RANGE[device.kind]
    if peaks:
        assert low <= max(peaks) <= high


@each_device
def test_bandwidths_and_capacities_are_in_their_units(device: Device) -> None:
    memory = device.memory
    if memory.bandwidth_gbs:
        assert 1 <= memory.bandwidth_gbs.value <= 1000
    if memory.bandwidth_gbs and memory.sustained_gbs:
        assert memory.sustained_gbs.value <= memory.bandwidth_gbs.value
    if memory.capacity_mb:
        assert memory.capacity_mb.value >= (128 if device.os else 1)
    if device.power.typical_w:
        assert 0.005 <= device.power.typical_w.value <= 500


@each_device
def test_microcontrollers_have_ram_and_flash_and_no_system(device: Device) -> None:
    if device.kind in ("mcu", "mcu-npu"):
        assert not device.os
        assert device.memory.sram_kb is not None
        assert device.memory.flash_kb is not None or "no flash" in device.notes
        assert 100 <= device.memory.sram_kb.value <= 16_384
    elif device.kind != "fpga":  # a generated circuit may run without a system
        assert device.os


@each_device
def test_the_first_path_is_a_preferred_one_where_any_is(device: Device) -> None:
    preferred = [path for path in device.paths if path.preferred]
    assert len(preferred) <= 3
    if preferred:
        assert device.paths[0].preferred
    assert all(path.runtime != "pytorch" for path in preferred)


@each_device
def test_a_limit_on_weights_names_the_memory(device: Device) -> None:
    if any(path.restrictions.weight_capacity for path in device.paths):
        assert device.memory.on_chip_kb is not None


@each_device
def test_integer_only_paths_list_no_float(device: Device) -> None:
    for path in device.paths:
        if path.restrictions.integer_only:
            assert not FLOATS & set(path.precisions)


@each_device
def test_the_default_float_is_one_of_the_floats_listed(device: Device) -> None:
    for path in device.paths:
        floats = FLOATS & set(path.precisions)
        assert not floats or path.default_float in floats


@each_device
def test_peaks_belong_to_listed_precisions_and_rise_as_bits_fall(device: Device) -> None:
    for path in device.paths:
        assert set(path.peak_gmacs) <= set(path.precisions) <= set(get_args(Precision))
        value = {precision: figure.value for precision, figure in path.peak_gmacs.items()}
        for narrow, wide in (("int8", "fp32"), ("fp16", "fp32"), ("bf16", "fp32"), ("int8", "int16"), ("int4", "int8")):
            if narrow in value and wide in value:
                assert value[narrow] >= value[wide]


@each_device
def test_paths_of_one_unit_agree_on_its_peaks(device: Device) -> None:
    for path in device.paths:
        for other in device.paths:
            if other.unit == path.unit == "cpu" and other.threads == path.threads:
                for precision in set(path.peak_gmacs) & set(other.peak_gmacs):
                    assert path.peak_gmacs[precision] == other.peak_gmacs[precision]


@pytest.mark.parametrize("device", [d for d in DEVICES if d.cpu and d.cpu.cores], ids=lambda d: d.id)
def test_measured_cpu_peaks_are_near_cores_times_clock(device: Device) -> None:
    """An inherited or mistyped peak shows up against the core table: 0.55 to 1.3 times cores x GHz x MAC per cycle."""
    from advisor.devices.catalogue import folders
    from advisor.devices.cores import derived_peaks, load_cores

    assert device.cpu is not None
    table = load_cores(folders())
    for path in device.paths:
        if path.unit == "cpu":
            derived = derived_peaks(device.cpu.cores, path.precisions, table, path.threads)
            for precision, figure in derived.items():
                assert 0.55 <= path.peak_gmacs[precision].value / figure.value <= 1.3, f"{path.label} {precision}"


def test_digests_differ_between_devices_and_repeat() -> None:
    digests = {device.id: profile_digest(device) for device in DEVICES}
    assert len(set(digests.values())) == len(DEVICES)
    assert digests["raspberry-pi-5"] == profile_digest(load_device("pi5"))
