"""Measure advisor's own time for a recommendation beyond imports: `python benchmarks/own_time.py [MODEL] [DEVICE]`."""

import sys
import time

import timm  # noqa: F401  (imports are not the subject)
import torch  # noqa: F401

import advisor
from advisor import pipeline  # noqa: F401
from advisor.execution import data  # noqa: F401


def main(model: str, device: str) -> None:
    wall, cpu = time.perf_counter(), time.process_time()
    found = advisor.recommend(model, target=device)
    print(
        f"{model} on {device}: {time.perf_counter() - wall:.2f} s wall, {time.process_time() - cpu:.2f} s CPU, "
        f"{len(found.candidates)} plans"
    )


if __name__ == "__main__":
    main(*(sys.argv[1:3] if len(sys.argv) > 2 else ("timm:resnet50", "jetson-nano")))
