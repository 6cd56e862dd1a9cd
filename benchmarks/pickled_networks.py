"""How many of timm's and torchvision's networks load from a whole pickle without --trust, and what the others ask for.

Every network is built without values (on the meta device where it can be), saved with torch.save(model) and read again.
About ten minutes on two cores; `python benchmarks/pickled_networks.py resnet` takes only names with that text in them.
"""

import sys
import tempfile
import time
import warnings
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import timm
import torch
import torchvision
from torch import nn

from advisor.errors import ModelLoadError
from advisor.loading.pickles import read_pickle


def names(part: str) -> Iterator[tuple[str, str]]:
    for library, found in (("timm", timm.list_models()), ("torchvision", torchvision.models.list_models())):
        yield from ((library, name) for name in found if part in name)


def build(library: str, name: str) -> nn.Module:
    for device in ("meta", "cpu"):  # some networks compute with values while they are built
        try:
            with torch.device(device):
                return timm.create_model(name) if library == "timm" else of_torchvision(name)
        except (RuntimeError, NotImplementedError):
            if device == "cpu":
                raise
    raise AssertionError


def of_torchvision(name: str) -> nn.Module:
    origin = torchvision.models.get_model_builder(name).__module__
    backbone = {"weights_backbone": None} if "detection" in origin or "segmentation" in origin else {}
    return torchvision.models.get_model(name, weights=None, **backbone)


def main() -> None:
    warnings.filterwarnings("ignore")
    refused: dict[str, list[str]] = defaultdict(list)
    seconds, count = 0.0, 0
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.pt"
        for library, name in names(sys.argv[1] if len(sys.argv) > 1 else ""):
            torch.save(build(library, name), path)
            count += 1
            start = time.perf_counter()
            try:
                read_pickle(path, legacy=False, trust=False)
            except ModelLoadError as error:
                refused[f"{error.what}: {error.where.replace(str(path), '')}"].append(f"{library}:{name}")
            seconds += time.perf_counter() - start
    lost = sum(map(len, refused.values()))
    print(f"{count - lost} of {count} networks load without --trust ({(count - lost) / max(count, 1):.1%})")
    print(f"{seconds / max(count, 1):.2f} s each to check and read, without weights")
    for what, which in sorted(refused.items(), key=lambda item: -len(item[1])):
        print(f"{len(which):4} {what}\n       {', '.join(which)}")


if __name__ == "__main__":
    main()
