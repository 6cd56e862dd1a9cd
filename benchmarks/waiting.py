"""How long a user waits for `apply` and `verify`: resnet18 to static int8 in ONNX Runtime, as commands.

    python -m benchmarks.waiting [MODEL] [--onnx] [--images N] [--rounds N]

MODEL is a name of timm with random weights, opened by that name or, with --onnx, from an ONNX file. The images are
noise in 224 x 224 JPEG files, which the commands split by themselves. Every command is a process of its own, with the
machine's usual number of threads; the first round finds empty caches and is told apart.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image

CLASSES = 10
SIDE = 224


def main() -> None:
    """Time the commands and print a line a round, and the medians without the first."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="resnet18")
    parser.add_argument("--onnx", action="store_true")
    parser.add_argument("--images", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=4)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_images(folder / "images", asked.images)
        environment = os.environ | {
            "ADVISOR_CACHE": str(folder / "cache"),
            "ADVISOR_OUTCOMES": str(folder / "store.db"),
        }
        model = f"timm:{asked.model}"
        if asked.onnx:
            file = str(folder / f"{asked.model}.onnx")
            advisor(["export", model, "--runtime", "onnxruntime", "--output", file], environment)
            model = file
        plan = ask(model, folder, environment)
        found = []
        for turn in range(asked.rounds):
            found.append(round_of(plan, folder / f"run{turn}", environment))
            apply, verify = found[-1]
            print(f"round {turn}: apply {apply:.1f} s, verify {verify:.1f} s, both {apply + verify:.1f} s", flush=True)
    later = found[1:] or found
    print(
        f"{Path(model).name}, {asked.images} images, median of {len(later)} rounds after the first: "
        f"apply {median(a for a, _ in later):.1f} s, verify {median(v for _, v in later):.1f} s, "
        f"both {median(a + v for a, v in later):.1f} s"
    )


def write_images(folder: Path, count: int) -> None:
    """Write noise in folders of classes."""
    random = np.random.default_rng(0)
    for index in range(count):
        target = folder / f"class{index % CLASSES}" / f"{index}.jpg"
        target.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)).save(target)


def ask(model: str, folder: Path, environment: dict[str, str]) -> Path:
    """Write the plan that the recommendation for this machine in ONNX Runtime puts first; it has to be static int8."""
    plan = folder / "plan.json"
    said = advisor(
        [
            "recommend",
            model,
            "--target",
            "host",
            "--runtime",
            "onnxruntime",
            "--budget",
            "calibration",
            "--data",
            str(folder / "images"),
            "--output",
            str(plan),
            "--json",
        ],
        environment,
    )
    answer = json.loads(said)
    winner = next(one for one in answer["candidates"] if one["number"] == answer["winner"])
    steps = [step["name"] for step in winner["plan"]["steps"]]
    if steps != ["static_int8"]:
        sys.exit(f"{model}: the steps recommended here are {', '.join(steps) or 'none'}, not static_int8")
    return plan


def round_of(plan: Path, out: Path, environment: dict[str, str]) -> tuple[float, float]:
    """Return the seconds of `apply` and of `verify`."""
    images = plan.with_name("images")
    start = time.perf_counter()
    advisor(["apply", str(plan), "--data", str(images), "--out", str(out)], environment)
    between = time.perf_counter()
    advisor(["verify", str(out)], environment)
    return between - start, time.perf_counter() - between


def advisor(arguments: list[str], environment: dict[str, str]) -> str:
    """Run a command; what it measured may miss its prediction here, which `verify` says with 4."""
    command = [sys.executable, "-m", "advisor", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode not in (0, 4):
        sys.exit(done.stderr)
    return done.stdout


if __name__ == "__main__":
    main()
