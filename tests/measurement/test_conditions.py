import pytest

from advisor.measurement.conditions import Conditions, disturbance, read_conditions, told


@pytest.fixture
def board(tmp_path):
    """A machine's files, as a dictionary of places."""

    def make(files):
        for place, text in files.items():
            path = tmp_path / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return make


CPU = "sys/devices/system/cpu"
ZONE = "sys/class/thermal/thermal_zone"


def test_a_machine_that_shows_nothing_is_unknown_not_zero(tmp_path):
    assert read_conditions(tmp_path) == Conditions()


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"proc/loadavg": "0.52 0.60 0.70 1/300 4321\n"}, {"load": 0.52}),
        ({"proc/pressure/cpu": "some avg10=12.50 avg60=3.00 avg300=1.00 total=9\n"}, {"pressure": 12.5}),
        ({f"{CPU}/cpu0/cpufreq/scaling_governor": "schedutil\n"}, {"governor": "schedutil"}),
        (
            {
                f"{CPU}/cpu0/cpufreq/scaling_governor": "powersave",
                f"{CPU}/cpu4/cpufreq/scaling_governor": "performance",
            },
            {"governor": "performance, powersave"},
        ),
        (
            {f"{CPU}/cpu0/cpufreq/scaling_cur_freq": "600000", f"{CPU}/cpu4/cpufreq/scaling_cur_freq": "1500000\n"},
            {"clock_mhz": 1500},
        ),
        ({f"{ZONE}0/temp": "48312", f"{ZONE}1/temp": "61000", f"{ZONE}2/temp": "-274000"}, {"temperature_c": 61.0}),
        (
            {
                f"{CPU}/cpu0/thermal_throttle/core_throttle_count": "2",
                f"{CPU}/cpu1/thermal_throttle/core_throttle_count": "3",
                f"{CPU}/cpu0/thermal_throttle/package_throttle_count": "7",
                f"{CPU}/cpu1/thermal_throttle/package_throttle_count": "7",
            },
            {"throttle_events": 12},
        ),
        ({"sys/fs/cgroup/cpu.stat": "usage_usec 5\nnr_periods 9\nnr_throttled 4\n"}, {"quota_stops": 4}),
        ({"sys/fs/cgroup/cpu/cpu.stat": "nr_periods 9\nnr_throttled 4\n"}, {"quota_stops": 4}),
        ({"sys/devices/platform/soc/soc:firmware/get_throttled": "50005\n"}, {"undervolted": True}),
        ({"sys/devices/platform/soc/soc:firmware/get_throttled": "50000\n"}, {"undervolted": False}),
    ],
)
def test_what_the_system_shows_is_read(board, files, expected):
    assert read_conditions(board(files)) == Conditions(**expected)


@pytest.mark.parametrize(
    ("before", "after", "cpu_time", "said"),
    [
        ({}, {}, False, ""),
        ({"throttle_events": 1}, {"throttle_events": 1}, False, ""),
        ({"throttle_events": 1}, {"throttle_events": 2}, True, "throttled itself 1 time"),
        ({"throttle_events": 1}, {"throttle_events": 5}, False, "throttled itself 4 times"),
        ({}, {"throttle_events": 5}, False, ""),
        ({"quota_stops": 0}, {"quota_stops": 3}, False, "share of CPU time was used up 3 times"),
        ({"quota_stops": 0}, {"quota_stops": 3}, True, ""),
        ({}, {"undervolted": True}, False, "low voltage"),
        ({}, {"temperature_c": 90.0}, False, "90 °C"),
        ({}, {"temperature_c": 80.0}, False, ""),
        ({"throttle_events": 0}, {"throttle_events": 0, "temperature_c": 95.0}, False, ""),
    ],
)
def test_what_slowed_the_machine_down_is_said(before, after, cpu_time, said):
    found = disturbance(Conditions(**before), Conditions(**after), cpu_time=cpu_time)
    assert (found == "") is (said == "")
    assert said in found


def test_conditions_in_words_hold_what_is_known():
    assert told(Conditions(), Conditions()) == "load average unknown"
    after = Conditions(load=0.94, governor="performance", temperature_c=55.2, pressure=30.0)
    assert told(Conditions(load=0.31), after) == (
        "load average 0.3 to 0.9, tasks waited for a CPU 30 % of the time, governor performance, 55 °C"
    )
