import pytest

from advisor.devices import detect_host, load_device
from advisor.devices.calibration import calibration_path, store_calibration, stored_calibration
from advisor.devices.machine import read_machine
from advisor.schema.calibration import Calibration, HeldOut

from .samples import TRUE

ERROR = HeldOut(
    form="fp32", threads=1, n=20, mean_error=0.05, within_10=0.9, low=0.9, high=1.1, ratio=1.05, ratio_forms=1.1
)


def calibration(**changes):
    from importlib.metadata import version

    fields = {
        "date": "2026-01-02T03:04:05+00:00", "cpu": read_machine().name, "runtime": "onnxruntime",
        "runtime_version": version("onnxruntime"), "samples": 100, "tables": (TRUE,), "errors": (ERROR,),
    }  # fmt: skip
    return Calibration(**{**fields, **changes})


@pytest.fixture
def place(tmp_path, monkeypatch):
    path = tmp_path / "nested" / "calibration.json"
    monkeypatch.setenv("ADVISOR_CALIBRATION", str(path))
    return path


def test_what_was_stored_comes_with_the_host(place):
    store_calibration(calibration(), place)
    host = load_device("host")
    assert host.calibration == calibration()
    assert "Calibrated on 2026-01-02" in host.notes
    assert "5%" in host.notes
    assert [p.name for p in place.parent.iterdir()] == [place.name]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cpu": "Another CPU"}, "it was made on Another CPU"),
        ({"runtime_version": "0.1"}, "onnxruntime was 0.1 and is"),
        ({"runtime": "no-such-runtime"}, "is not installed any more"),
    ],
)
def test_a_stale_calibration_is_named_and_not_used(place, changes, reason):
    store_calibration(calibration(**changes), place)
    host = detect_host()
    assert host.calibration is None
    assert "stale" in host.notes
    assert reason in host.notes


def test_a_damaged_file_is_named_and_not_used(place):
    place.parent.mkdir()
    place.write_text("{")
    found, told = stored_calibration("any")
    assert found is None
    assert "cannot be read" in told


def test_without_a_file_nothing_is_told(place):
    assert stored_calibration("any") == (None, "")


def test_calibrations_can_be_switched_off(monkeypatch):
    monkeypatch.setenv("ADVISOR_CALIBRATION", "off")
    assert calibration_path() is None
    assert stored_calibration("any") == (None, "")


def test_the_command_writes_the_file_and_tells_its_worth(place, invoke, monkeypatch):
    monkeypatch.setattr("advisor.calibration.run.calibrate", lambda **_: calibration())
    result = invoke("devices", "calibrate")
    assert result.exit_code == 0, result.output
    assert "mean error" in result.output
    assert Calibration.model_validate_json(place.read_bytes()) == calibration()


def test_the_command_refuses_where_calibrations_are_off(invoke, monkeypatch):
    monkeypatch.setenv("ADVISOR_CALIBRATION", "off")
    result = invoke("devices", "calibrate")
    assert result.exit_code == 2
    assert "switches calibrations off" in result.stderr
