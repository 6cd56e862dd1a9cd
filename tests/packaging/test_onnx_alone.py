"""An ONNX model goes all the way without torch: importing it would take longer than everything else."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tests.runtimes.graphs import write_classifier

BLOCK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in ('torch', 'torchvision', 'timm', 'accelerate'):
            raise ImportError(f'{name} is blocked')
sys.meta_path.insert(0, Block())
sys.argv[0] = 'advisor'
from advisor.cli.main import run
run()
"""


def advisor(folder, *arguments, codes=(0,)):
    environment = os.environ | {"ADVISOR_OUTCOMES": str(folder / "outcomes.sqlite"), "ADVISOR_CACHE": str(folder / "c")}
    done = subprocess.run(
        [sys.executable, "-c", BLOCK, *map(str, arguments)],
        capture_output=True, text=True, check=False, cwd=folder, env=environment,
    )  # fmt: skip
    assert done.returncode in codes, done.stderr
    return done.stdout


@pytest.mark.real
def test_an_onnx_model_needs_no_torch_from_its_recommendation_to_its_verification(tmp_path):
    write_classifier(tmp_path / "model.onnx")
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (60, 8, 8, 3), dtype=np.uint8)
    np.savez(tmp_path / "data.npz", images=images, labels=np.arange(60) % 10)
    assert "ONNX" in advisor(tmp_path, "identify", "model.onnx")
    goal = ("--target", "host", "--runtime", "onnxruntime", "--budget", "calibration")
    advisor(tmp_path, "recommend", "model.onnx", *goal, "--data", "data.npz", "--output", "plan.json")
    advisor(tmp_path, "apply", "plan.json", "--data", "data.npz", "--out", "run")
    advisor(tmp_path, "verify", "run", codes=(0, 4))
