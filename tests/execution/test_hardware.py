"""Where trainings run: one process, or several that share every batch."""

import json
import os
import random
import subprocess
import sys

import numpy as np
import pytest

SCRIPT = """
import json, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from tests.execution.digits import grey
from advisor.execution.data import open_data
from advisor.execution.hardware import accelerator, helping, trained_on
from advisor.execution.images import ImageReader
from advisor.execution.training import Training, fine_tune
torch.manual_seed(0)
module = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.Linear(784, 10))
data = open_data(Path(sys.argv[1]), 10)
trained = fine_tune(module, data.train, ImageReader(grey(), 1), Training(epochs=2, batch=32), held=data.selection)
weights = [float(p.detach().double().sum()) for p in module.parameters()]
number = accelerator().process_index
Path(sys.argv[2], f"{number}.json").write_text(json.dumps([trained_on(), helping(), trained.history, weights]))
"""


def test_random_numbers_begin_where_they_are_told_to_and_go_on_where_they_were():
    import torch

    from advisor.execution.hardware import seeded

    def draw():
        return random.random(), float(np.random.rand()), float(torch.rand(()))

    with seeded(3):
        first = draw()
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    outside = draw()
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    with seeded(3):
        assert draw() == first
    assert draw() == outside


def test_one_process_on_the_cpu_is_the_rule():
    from advisor.execution.hardware import accelerator, helping, trained_on

    if not __import__("torch").cuda.is_available():
        assert trained_on() == "cpu"
        assert accelerator().mixed_precision == "no"
    assert not helping()


@pytest.mark.study
def test_two_processes_learn_what_one_learns(tmp_path):
    from .carrying import few_images

    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    found = {}
    for count in (1, 2):
        out = tmp_path / str(count)
        out.mkdir()
        launch = ["-m", "torch.distributed.run", "--nproc_per_node", str(count)] if count > 1 else []
        subprocess.run(
            [sys.executable, *launch, str(script), str(few_images()), str(out)],
            check=True, env={**os.environ, "PYTHONPATH": os.getcwd(), "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        found[count] = [json.loads(file.read_text()) for file in sorted(out.iterdir())]
    (alone,), (first, second) = found[1], found[2]
    assert (alone[0], first[0], second[0]) == ("cpu", "cpu, 2 processes", "cpu, 2 processes")
    assert (first[1], second[1]) == (False, True)
    assert first[2:] == second[2:]
    assert first[2] == alone[2]
    np.testing.assert_allclose(first[3], alone[3], rtol=1e-5, atol=1e-6)
