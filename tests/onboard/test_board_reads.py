"""The program for the board and the measuring here read a system in the same way."""

import sys

import pytest

from advisor.measurement.conditions import read_conditions
from advisor.measurement.energy import find_meter
from advisor.onboard.kit import BOARD
from advisor.onboard.results import BoardConditions


@pytest.fixture
def measure(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(BOARD))
    import measure as found

    monkeypatch.setattr(found, "SYSTEM", str(tmp_path / "sys"))
    yield found
    for name in ("measure", "backends"):
        sys.modules.pop(name, None)


def write(root, files):
    for place, text in files.items():
        path = root / "sys" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


CPU = "devices/system/cpu"
BOARDS = {
    "nothing": {},
    "raspberry": {
        f"{CPU}/cpu0/cpufreq/scaling_governor": "ondemand\n",
        f"{CPU}/cpu0/cpufreq/scaling_cur_freq": "1800000\n",
        "class/thermal/thermal_zone0/temp": "71500\n",
        "devices/platform/soc/soc:firmware/get_throttled": "50005\n",
    },
    "laptop": {
        f"{CPU}/cpu0/cpufreq/scaling_governor": "powersave",
        f"{CPU}/cpu1/cpufreq/scaling_governor": "performance",
        f"{CPU}/cpu0/thermal_throttle/core_throttle_count": "4",
        f"{CPU}/cpu1/thermal_throttle/core_throttle_count": "1",
        f"{CPU}/cpu0/thermal_throttle/package_throttle_count": "9",
        f"{CPU}/cpu1/thermal_throttle/package_throttle_count": "9",
        "class/thermal/thermal_zone0/temp": "20000",
        "class/thermal/thermal_zone1/temp": "-274000",
    },
}


@pytest.mark.parametrize("files", BOARDS.values(), ids=list(BOARDS))
def test_conditions_are_the_same(measure, tmp_path, files):
    write(tmp_path, files)
    there, here = BoardConditions(**measure.conditions()), read_conditions(tmp_path)
    for name in set(BoardConditions.model_fields) - {"load"}:  # the load is asked of the system
        assert getattr(there, name) == getattr(here, name), name


METERS = {
    "package": {"class/powercap/intel-rapl:0/name": "package-0", "class/powercap/intel-rapl:0/energy_uj": "5"},
    "ina226": {"class/hwmon/hwmon1/name": "ina226", "class/hwmon/hwmon1/power1_input": "5000000"},
    "ina3221": {
        "class/hwmon/hwmon1/name": "ina3221",
        "class/hwmon/hwmon1/curr1_input": "400",
        "class/hwmon/hwmon1/in1_input": "5000",
    },
    "jetson nano": {"bus/i2c/drivers/ina3221x/6-0040/iio:device0/in_power0_input": "3200"},
}


@pytest.mark.parametrize("files", [v for k, v in METERS.items() if k != "package"], ids=list(METERS)[1:])
def test_power_is_the_same(measure, tmp_path, files):
    write(tmp_path, files)
    there, here = measure.Meter(), find_meter(tmp_path)
    assert there.watts() == pytest.approx(here._watts())
    assert there.joules(lambda: None) >= 0


@pytest.mark.parametrize("files", [*METERS.values(), {}, {"class/hwmon/hwmon1/name": "coretemp",
                                                          "class/hwmon/hwmon1/power1_input": "5"}])  # fmt: skip
def test_a_meter_is_found_in_the_same_places(measure, tmp_path, files):
    write(tmp_path, files)
    assert (measure.Meter().source == "") is (find_meter(tmp_path) is None)


def test_rapl_counters_wrap(measure, tmp_path):
    place = "class/powercap/intel-rapl:0"
    write(tmp_path, METERS["package"] | {f"{place}/energy_uj": "9000000", f"{place}/max_energy_range_uj": "10000000"})
    meter = measure.Meter()
    assert meter.joules(lambda: write(tmp_path, {f"{place}/energy_uj": "1000000"})) == pytest.approx(2.0)
