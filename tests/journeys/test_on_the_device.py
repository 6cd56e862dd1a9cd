"""From a run to its board and back, through the command line: the kit, the connection, and what goes wrong."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from advisor.schema import Metric
from tests.execution.journeys import fast_measurement, pruned_int8  # noqa: F401  (a fixture)
from tests.onboard.runs import heeding_ctrl_c, results_of
from tests.onboard.sshd import serving

pytestmark = pytest.mark.real
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sshd")
    (folder / "tmp").mkdir()
    with serving(folder, f"SetEnv TMPDIR={folder}/tmp") as found:
        yield found


@pytest.fixture
def run_dir(fast_measurement):  # noqa: F811
    """A run of this very machine: pruned, fine-tuned, int8, measured here before."""
    return pruned_int8()[1]


@pytest.fixture(autouse=True)
def quick(monkeypatch, tmp_path):
    monkeypatch.setattr("advisor.onboard.kit.ROUND_SECONDS", 0.02)
    monkeypatch.setenv("ADVISOR_OUTCOMES", "off")


def figures(record: dict) -> dict:
    return {m["metric"]: m for m in record["measurements"]}


def measured_on_the_board(run_dir, tmp_path, invoke) -> Path:
    """Pack the run, unpack it elsewhere, measure there."""
    packed = invoke("bench-kit", run_dir, "-o", tmp_path / "kit.zip")
    assert packed.exit_code == 0, packed.output
    assert "python3 measure.py" in packed.stdout
    with zipfile.ZipFile(tmp_path / "kit.zip") as archive:
        archive.extractall(tmp_path)
    done = subprocess.run(
        [sys.executable, "measure.py"], cwd=tmp_path / "kit", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return tmp_path / "kit" / "results.json"


def test_a_kit_measures_on_the_board_and_the_prediction_is_judged(run_dir, tmp_path, invoke, invoke_json):
    results = measured_on_the_board(run_dir, tmp_path, invoke)
    record = invoke_json("verify", run_dir, "--measured", results, code=4)  # the prediction of memory is far too high
    written = {one["role"]: one for one in json.loads(results.read_text())["artefacts"]}
    latency = figures(record)[Metric.LATENCY]
    assert latency["value"] == written["shipped"]["median_ms"]
    assert latency["baseline_value"] == written["baseline"]["median_ms"]
    hits = {verdict["metric"]: verdict["hit"] for verdict in record["verdicts"]}
    assert hits[Metric.MEMORY] is False
    assert hits[Metric.SIZE] is True
    assert record["environment"]["measured_on"] == "host"
    assert "predicted" in (run_dir / "report-board.md").read_text()


def in_seconds(fields):
    for one in fields["artefacts"]:
        one["rounds_ms"] = [value / 1000 for value in one["rounds_ms"]]
        one["median_ms"], one["minimum_ms"] = one["median_ms"] / 1000, one["minimum_ms"] / 1000


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda fields: fields["artefacts"][1].update(sha256="0" * 64), "checksum"),
        (in_seconds, "not in milliseconds"),
        (lambda fields: fields.update(time_unit="s"), "time_unit"),
        (lambda fields: fields.update(device="jetson-nano"), "of jetson-nano"),
    ],
    ids=["other files", "seconds", "unit named", "other device"],
)
def test_results_that_are_not_this_runs_end_with_two(run_dir, tmp_path, invoke, change, said):
    fields = results_of(run_dir)
    change(fields)
    (tmp_path / "results.json").write_text(json.dumps(fields))
    told = invoke("verify", run_dir, "--measured", tmp_path / "results.json")
    assert told.exit_code == 2
    assert said in told.stderr
    assert "Traceback" not in told.output


def on(server, *more):
    return ("--on", server.url, "--ssh-config", server.config, "--python", sys.executable, *more)


def left(server) -> list[Path]:
    return list((server.folder / "tmp").iterdir())


def test_a_board_measures_over_ssh_and_nothing_stays_there(run_dir, server, invoke_json):
    record = invoke_json("verify", run_dir, *on(server), code=4)
    assert figures(record)[Metric.LATENCY]["value"] > 0
    assert record["environment"]["measured_on"] == "host"
    assert left(server) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--on", "pi@board"), "no address of a board"),
        (("--install",), "belong to --on"),
        (("--on", "ssh://board", "--measured", "results.json"), "exclude one another"),
        (("--on", "ssh://board", "--timeout", "soon"), "is not a number"),
        (("--measured", "nowhere.json"), "cannot be read"),
    ],
)
def test_bad_orders_end_with_two(run_dir, invoke, options, said):
    told = invoke("verify", run_dir, *options)
    assert told.exit_code == 2
    assert said in told.stderr


def test_an_unknown_board_is_refused_in_three_lines(run_dir, server, invoke):
    known = server.known_hosts.read_text()
    server.known_hosts.write_text("")
    try:
        told = invoke("verify", run_dir, *on(server))
    finally:
        server.known_hosts.write_text(known)
    assert told.exit_code == 2
    assert "SHA256:" in told.stderr
    assert len(told.stderr.strip().splitlines()) == 3


@pytest.mark.parametrize(("end", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_stopping_it_leaves_nothing_on_the_board_and_the_run_as_it_was(run_dir, server, end, code):
    before = {path.name: path.read_bytes() for path in run_dir.iterdir() if path.is_file()}
    command = [sys.executable, "-c", "import advisor.onboard.kit as kit; kit.ROUND_SECONDS = 60\n"
               "from advisor.cli.main import run; run()", "verify", run_dir, *on(server)]  # fmt: skip
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [str(part) for part in command],
        env=environment,
        stderr=subprocess.PIPE,
        preexec_fn=heeding_ctrl_c,  # noqa: PLW1509  (no threads here)
    )
    until(lambda: list((server.folder / "tmp").glob("advisor-*/kit/kit.json")))
    process.send_signal(end)
    process.communicate(timeout=60)
    assert process.returncode == code
    until(lambda: left(server) == [])
    assert {path.name: path.read_bytes() for path in run_dir.iterdir() if path.is_file()} == before


def until(true, seconds=60.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)
