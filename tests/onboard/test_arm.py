"""The kit on an Arm Python, run by qemu-user: what it does, not how fast. `arm_python.sh` makes such a Python."""

import json
import os
import subprocess

import pytest

from advisor.onboard.judge import verify_measured
from advisor.schema import Metric

from .runs import write_run
from .test_kit import unpacked


@pytest.fixture
def python():
    found = os.environ.get("ADVISOR_ARM_PYTHON")
    if not found:
        pytest.skip("ADVISOR_ARM_PYTHON names no Arm Python with onnxruntime (tests/onboard/arm_python.sh makes one)")
    return found


def test_the_kit_measures_on_arm_and_is_judged_as_arm(python, tmp_path, quick):
    run_dir = write_run(tmp_path / "run", device="raspberry-pi-5")
    kit = unpacked(run_dir, tmp_path)
    done = subprocess.run([python, "measure.py", "--rounds", "7"], cwd=kit, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((kit / "results.json").read_text())["machine"]["arch"] == "aarch64"
    found = verify_measured(run_dir, kit / "results.json")
    assert next(m for m in found.measurements if m.metric is Metric.LATENCY).value > 0
