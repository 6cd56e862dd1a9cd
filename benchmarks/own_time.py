"""Measure advisor's own time for a recommendation beyond imports: `python benchmarks/own_time.py [MODEL] [DEVICE]`.

Each question is asked in a process of its own, the first with an empty cache; the second finds the profile and needs
neither torch nor the network.
"""

import os
import subprocess
import sys
import tempfile

ASK = """
import sys, time
model, device, heavy = sys.argv[1:]
from advisor import pipeline
if heavy == "first":
    import timm, torch, onnx, onnxruntime  # imports are not the subject
    from advisor.loading import load
wall, cpu = time.perf_counter(), time.process_time()
found = pipeline.recommend(model, target=device)
print(f"{model} on {device}, {heavy} time: {time.perf_counter() - wall:.2f} s wall, "
      f"{time.process_time() - cpu:.2f} s CPU, {len(found.candidates)} plans", flush=True)
"""


def main(model: str, device: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for when in ("first", "second", "third"):
            command = [sys.executable, "-c", ASK, model, device, when]
            subprocess.run(command, check=True, env=os.environ | {"ADVISOR_CACHE": folder})


if __name__ == "__main__":
    main(*(sys.argv[1:3] if len(sys.argv) > 2 else ("timm:resnet50", "jetson-nano")))
