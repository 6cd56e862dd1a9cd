import time

import pytest

from advisor.measurement.energy import PowerSensor, Rapl, find_meter


def write(root, files):
    for place, text in files.items():
        path = root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


RAPL = "sys/class/powercap/intel-rapl"
SENSOR = "sys/class/hwmon/hwmon3"


def package(number, joules, most=262):
    place = f"{RAPL}:{number}"
    return {f"{place}/name": f"package-{number}\n", f"{place}/energy_uj": str(int(joules * 1e6)),
            f"{place}/max_energy_range_uj": str(int(most * 1e6))}  # fmt: skip


def test_a_machine_without_counters_and_sensors_has_no_meter(tmp_path):
    assert find_meter(tmp_path) is None


@pytest.mark.parametrize(("before", "after", "used"), [((100, 50), (103, 52), 5.0), ((261, 50), (1, 50), 2.0)])
def test_rapl_adds_the_packages_up_and_knows_that_counters_wrap(tmp_path, before, after, used):
    meter = find_meter(write(tmp_path, package(0, before[0]) | package(1, before[1])))
    assert isinstance(meter, Rapl)
    assert meter.joules(lambda: write(tmp_path, package(0, after[0]) | package(1, after[1]))) == pytest.approx(used)


def test_other_domains_than_packages_are_not_counted_twice(tmp_path):
    psys = {f"{RAPL}:1/name": "psys", f"{RAPL}:1/energy_uj": "1"}
    meter = find_meter(write(tmp_path, package(0, 1) | psys))
    assert len(meter.domains) == 1


@pytest.mark.parametrize(
    ("files", "watts", "source"),
    [
        ({f"{SENSOR}/name": "ina226\n", f"{SENSOR}/power1_input": "5000000"}, 5.0, "sensor ina226, power1"),
        ({"sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0/in_power0_input": "3200"}, 3.2, "ina3221x, first rail"),
        (
            {f"{SENSOR}/name": "ina3221", f"{SENSOR}/curr1_input": "400", f"{SENSOR}/in1_input": "5000",
             f"{SENSOR}/in1_label": "CPU", f"{SENSOR}/curr2_input": "2000", f"{SENSOR}/in2_input": "5000",
             f"{SENSOR}/in2_label": "VDD_IN"},
            10.0, "sensor ina3221, VDD_IN",
        ),
    ],
)  # fmt: skip
def test_a_sensors_power_is_integrated_over_time(tmp_path, files, watts, source):
    meter = find_meter(write(tmp_path, files))
    assert isinstance(meter, PowerSensor)
    assert source in meter.source
    start = time.perf_counter()
    joules = meter.joules(lambda: time.sleep(0.2))
    elapsed = time.perf_counter() - start
    assert 0.2 * watts * 0.99 <= joules <= elapsed * watts * 1.01


@pytest.mark.parametrize(
    "files",
    [
        {f"{SENSOR}/name": "coretemp", f"{SENSOR}/power1_input": "5000000"},
        {f"{SENSOR}/name": "ina226"},
        {f"{SENSOR}/name": "ina3221", f"{SENSOR}/curr1_input": "400"},
        {f"{RAPL}:0/name": "package-0"},
    ],
    ids=["no power sensor", "no rail", "no voltage", "counter hidden"],
)
def test_what_cannot_be_read_is_no_meter(tmp_path, files):
    assert find_meter(write(tmp_path, files)) is None


def test_a_failing_work_ends_the_sampling(tmp_path):
    meter = find_meter(write(tmp_path, {f"{SENSOR}/name": "ina226", f"{SENSOR}/power1_input": "1000000"}))
    with pytest.raises(ZeroDivisionError):
        meter.joules(lambda: 1 / 0)
