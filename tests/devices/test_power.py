import pytest

from advisor.devices import list_devices, load_device
from advisor.devices.power import in_power_mode
from advisor.errors import DeviceError

NANO = load_device("jetson-nano")


def peaks(device, label):
    path = next(p for p in device.paths if p.label == label)
    return {precision: figure.value for precision, figure in path.peak_gmacs.items()}


@pytest.mark.parametrize("name", ["5W", "5w", "5", "5.0", " 5 W"])
def test_a_mode_is_named_or_given_in_watts(name):
    assert in_power_mode(NANO, name).power.current.name == "5W"


def test_the_usual_mode_changes_no_figure():
    usual = in_power_mode(NANO, "10")
    assert usual.paths == NANO.paths
    assert usual.cpu == NANO.cpu


def test_the_gpu_slows_down_with_its_clock():
    small = in_power_mode(NANO, "5W")
    for precision, value in peaks(NANO, "tensorrt/gpu").items():
        assert peaks(small, "tensorrt/gpu")[precision] == pytest.approx(value * 0.64 / 0.9216)


def test_cores_that_are_off_are_gone():
    small = in_power_mode(NANO, "5W")
    assert [(core.count, core.freq_ghz.value) for core in small.cpu.cores] == [(2, 0.918)]
    share = 2 * 0.918 / (4 * 1.479)
    for precision, value in peaks(NANO, "ncnn/cpu").items():
        assert peaks(small, "ncnn/cpu")[precision] == pytest.approx(value * share)


def test_groups_of_gpu_cores_and_the_memory_clock_count():
    orin = load_device("jetson-orin-nx-16gb")
    small = in_power_mode(orin, "10W")
    share = 0.612 / 0.918 * 2 / 4
    assert peaks(small, "tensorrt/gpu")["fp16"] == pytest.approx(peaks(orin, "tensorrt/gpu")["fp16"] * share)
    ratio = small.memory.bandwidth_gbs.value / orin.memory.bandwidth_gbs.value
    assert ratio == pytest.approx(2.133 / 3.199)


def test_a_peak_that_cannot_be_scaled_is_unknown():
    assert peaks(in_power_mode(load_device("jetson-orin-nx-16gb"), "10W"), "tensorrt/dla") == {}


def test_figures_name_the_mode():
    figure = in_power_mode(NANO, "5W").paths[0].peak_gmacs["fp16"]
    assert "power mode 5W" in figure.formula


@pytest.mark.parametrize(
    ("device", "mode", "said"),
    [
        ("jetson-nano", "7", "10W, 5W"),
        ("raspberry-pi-4b", "5", "states no power modes"),
        ("jetson-thor", "40W", "does not state the clocks"),
    ],
)
def test_a_mode_that_is_not_known_is_refused(device, mode, said):
    with pytest.raises(DeviceError, match=said):
        in_power_mode(load_device(device), mode)


def test_no_mode_is_faster_than_the_profile():
    for device in list_devices():
        usual = next((m for m in device.power.modes if m.default), None)
        for mode in device.power.modes if usual else ():
            small = in_power_mode(device, mode.name)
            for before, after in zip(device.paths, small.paths, strict=True):
                for precision, figure in after.peak_gmacs.items():
                    assert figure.value <= before.peak_gmacs[precision].value * 1.001, (device.id, mode.name)


def test_names_and_defaults_of_modes_are_unique():
    for device in list_devices():
        modes = device.power.modes
        assert len({m.name.lower() for m in modes}) == len(modes), device.id
        assert sum(m.default for m in modes) <= 1, device.id
