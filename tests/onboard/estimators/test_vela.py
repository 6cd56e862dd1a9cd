import json

import pytest

from advisor.devices import load_device
from advisor.errors import AdvisorError, GoalError, NotApplicable, RunError
from advisor.onboard.estimators import estimator_for, vela
from advisor.onboard.estimators.compare import estimated
from advisor.reports.markdown import to_markdown
from advisor.reports.vendor import vendor_page
from advisor.schema import Metric, Plan
from tests.onboard.runs import estimate, write_run
from tests.onboard.tflite_files import write_tflite

MACS = 16 * 16 * 8 * 3 * 3 * 3  # of the convolution


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    pytest.importorskip("ethosu.vela", reason="ethos-u-vela is not installed")
    folder = tmp_path_factory.mktemp("tflite")
    return {
        "whole": write_tflite(folder / "whole.tflite"),
        "cut": write_tflite(folder / "cut.tflite", unsupported=True),
        "wide": write_tflite(folder / "wide.tflite", channels=64),
    }


def test_vela_estimates_cycles_memory_and_placement(files):
    found = estimated(files["whole"], "ethos-u55-128").estimate
    assert found.macs == MACS
    assert found.cycles["total"] >= MACS / 128  # 128 MACs a cycle at best
    # the clock of Vela's system is 500 MHz
    assert found.figures[Metric.LATENCY] == pytest.approx(found.cycles["total"] / 500e6 * 1e3)
    assert 16 * 16 * 8 / 1e6 <= found.figures[Metric.MEMORY] < 0.1  # the result at least, in MB
    assert (len(found.accelerated), found.fallen) == (1, ())


def test_operators_that_the_cpu_keeps_are_named_with_the_reason(files):
    found = estimated(files["cut"], "ethos-u55-128").estimate
    assert (len(found.accelerated), len(found.fallen)) == (1, 2)
    assert any(reason.startswith("SIN (sine):") for reason in found.reasons)
    assert any("is in no figure" in note for note in found.notes)


def test_a_larger_network_and_a_smaller_accelerator_take_longer(files):
    def ms(name, device):
        return estimated(files[name], device).estimate.figures[Metric.LATENCY]

    assert ms("wide", "ethos-u55-128") > ms("whole", "ethos-u55-128")
    assert ms("wide", "ethos-u55-128") > ms("wide", "ethos-u55-256")


@pytest.mark.parametrize("device", sorted(vela.boards().devices))
def test_every_device_is_known_to_vela_and_to_the_profiles(files, device):
    profile = load_device(device)
    assert estimator_for(profile).name == "vela"
    found = estimated(files["whole"], device).estimate
    assert found.figures[Metric.LATENCY] > 0
    in_dram = Metric.FLASH not in found.figures
    assert any("DRAM" in note for note in found.notes) is in_dram


def test_every_device_with_vela_has_its_settings():
    from advisor.devices import list_devices

    having = {one.id for one in list_devices() if any(path.runtime == "vela" for path in one.paths)}
    assert having == set(vela.boards().devices)


def run_for(tmp_path, macs, low, high, device="ethos-u55-128"):
    from advisor.execution.store import read_record, write_record

    plan = Plan(runtime="vela", unit="npu")
    predicted = {Metric.LATENCY: estimate(Metric.LATENCY, low, high), Metric.FLASH: estimate(Metric.FLASH, 0.1, 0.2)}
    folder = write_run(tmp_path / "run", device=device, plan=plan, predicted=predicted)
    record = read_record(folder)
    write_record(record.model_copy(update={"preview": record.preview.model_copy(update={"macs": macs})}), folder)
    return folder


@pytest.mark.parametrize(("low", "high", "inside"), [(0.001, 0.1, True), (1, 2, False)])
def test_the_prediction_of_a_run_stands_beside(files, tmp_path, low, high, inside):
    report = estimated(files["whole"], run_dir=run_for(tmp_path, MACS, low, high))
    found = {one.metric: one for one in report.comparisons}
    assert found[Metric.LATENCY].inside is inside
    assert found[Metric.FLASH].inside is None  # both speak of different things
    text = to_markdown(vendor_page(report))
    assert ("inside" if inside else "outside") in text
    assert "not a measurement" in text


@pytest.mark.parametrize(
    ("file", "macs", "said"), [("whole", 99 * MACS, "another network"), ("cut", MACS, "CPU's operators")]
)
def test_what_is_not_the_same_is_not_compared(files, tmp_path, file, macs, said):
    report = estimated(files[file], run_dir=run_for(tmp_path, macs, 0.001, 0.1))
    latency = next(one for one in report.comparisons if one.metric is Metric.LATENCY)
    assert latency.inside is None
    assert said in latency.note


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is no TFLite file"), (b"GIF89a..", "is no TFLite file"), (b"\x1c\0\0\0TFL3" + b"\0" * 64, "Vela refuses")],
)
def test_files_that_are_none_are_refused(files, tmp_path, content, said):
    (tmp_path / "model.tflite").write_bytes(content)
    with pytest.raises(RunError, match=said):
        estimated(tmp_path / "model.tflite", "ethos-u55-128")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(RunError, match="cannot be read"):
        vela.Vela().estimate(tmp_path / "no.tflite", load_device("ethos-u55-128"))


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({}, GoalError, "no device named"),
        ({"target": "raspberry-pi-5"}, NotApplicable, "no vendor's estimator"),
        ({"target": "imx93", "run": "ethos-u55-128"}, GoalError, "the run is for ethos-u55-128"),
    ],
)
def test_bad_orders_are_refused_before_anything_runs(tmp_path, options, error, said):
    run_dir = run_for(tmp_path, MACS, 1, 2) if "run" in options else None
    with pytest.raises(error, match=said):
        estimated(tmp_path / "any.tflite", options.get("target"), run_dir)


def test_a_run_of_another_runtime_is_not_compared(tmp_path):
    with pytest.raises(AdvisorError, match="the run's plan is for tflite-micro/mcu"):
        estimated(
            tmp_path / "any.tflite",
            run_dir=write_run(tmp_path / "run", device="ethos-u55-128", plan=Plan(runtime="tflite-micro", unit="mcu")),
        )


HEAD = "inference_time,nn_macs,cycles_total"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo nothing of use", "wrote no summary: nothing of use"),
        ("echo 'Error: bad thing' ; exit 1", "Vela refuses the file: Error: bad thing"),
        (f"echo '{HEAD}' > $folder/a_summary_b.csv; echo 1,2,3 >> $folder/a_summary_b.csv", "another summary"),
    ],
)
def test_another_vela_is_not_misread(tmp_path, monkeypatch, script, said):
    """A program in Vela's place that answers the version and then this."""
    program = tmp_path / "vela"
    program.write_text(
        '#!/bin/sh\nif [ "$1" = --version ]; then echo 9.9; exit; fi\nfor folder; do :; done\n' + script + "\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(vela, "_program", lambda: [str(program)])
    (tmp_path / "a.tflite").write_bytes(b"\x1c\0\0\0TFL3")
    with pytest.raises(RunError, match=said):
        estimated(tmp_path / "a.tflite", "ethos-u55-128")


def test_without_vela_the_way_to_it_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(vela, "find_spec", lambda _: None)
    monkeypatch.setenv("PATH", "")
    (tmp_path / "a.tflite").write_bytes(b"\x1c\0\0\0TFL3")
    with pytest.raises(NotApplicable, match="not installed") as raised:
        estimated(tmp_path / "a.tflite", "ethos-u55-128")
    assert "pip install ethos-u-vela" in raised.value.remedy


def test_the_command_answers_in_json(files, invoke_json):
    found = invoke_json("estimate", files["whole"], "--target", "u55")
    assert found["estimate"]["macs"] == MACS
    assert json.dumps(found)


def test_the_page_keeps_within_eighty_columns(files, invoke):
    told = invoke("estimate", files["cut"], "--target", "u55")
    assert told.exit_code == 0, told.output
    assert "SIN (sine)" in told.stdout
    assert max(len(line) for line in told.stdout.splitlines()) <= 80
