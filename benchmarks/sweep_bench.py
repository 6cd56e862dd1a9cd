"""One network of the sweep, what it answers, and how answers are compared. Used by benchmarks/sweep_*.py."""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from sweep_models import calibration, images, network

from advisor.errors import AdvisorError
from advisor.profiling import profile_module
from advisor.runtimes.onnx_export import export_onnx
from advisor.schema import Step, Workload
from advisor.techniques import registry
from advisor.techniques.subject import Change, Subject

TESTED = 8  # images that outputs are compared on; none of them is used to calibrate
EXACT = 99.0  # decibels; what is beyond is equal
SAME = 1e-3  # largest difference of outputs that ought to be equal, as a share of the largest output
_FIRST_TESTED, _FIRST_CALIBRATION = 1000, 2000
Outcome = dict[str, Any]


class Refused(Exception):
    """Every technique that could do it has refused."""


class Bench:
    """One network: its module, profile, float file and outputs on the test images."""

    def __init__(self, name: str, folder: Path) -> None:
        """Build, profile, export and run the network."""
        self.module, self.shape = network(name)
        self.workload = profile_module(self.module, self.shape, name=name, source=f"timm:{name}")
        self.tested = [images(_FIRST_TESTED + i, self.shape[-1]) for i in range(TESTED)]
        self.float_file = folder / "float.onnx"
        export_onnx(self.module, self.shape, self.float_file)
        self.wanted = answers(self.module, self.tested)
        self.subject = Subject(
            self.shape, folder, module=self.module, workload=self.workload,
            calibration=calibration(self.shape[-1], _FIRST_CALIBRATION),
        )  # fmt: skip


def answers(module: Any, batches: list[NDArray[Any]]) -> NDArray[Any]:
    """Return the outputs of a module, one row an image."""
    with torch.inference_mode():
        return np.concatenate([_first(module(torch.from_numpy(batch))).numpy() for batch in batches])


def _first(output: Any) -> Any:
    return output if isinstance(output, torch.Tensor) else output[0]


def file_answers(path: Path, batches: list[NDArray[Any]], *, plainly: bool = False) -> NDArray[Any]:
    """Return the outputs of an ONNX file; `plainly`: node by node, so that quantized layers compute in float."""
    options = ort.SessionOptions()
    if plainly:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return np.concatenate([session.run(None, {name: batch})[0] for batch in batches])


def sqnr(wanted: NDArray[Any], found: NDArray[Any]) -> float:
    """Return the signal to noise ratio in decibels; the mean over images, which says nothing of them, is no signal."""
    signal = float(np.square(wanted - wanted.mean(axis=0)).sum())
    noise = float(np.square(wanted - found).sum())
    return round(min(10 * float(np.log10(max(signal, 1e-30) / max(noise, 1e-30))), EXACT), 1)


def in_8_bits(batch: NDArray[Any]) -> NDArray[Any]:
    """Return the images in 8 bits: the least that int8 does, and what the network itself makes of so little noise."""
    step = float(batch.max() - batch.min()) / 255
    return (np.round(batch / step) * step).astype(np.float32)


def carried_out(step: Step, subject: Subject) -> tuple[Step, Change]:
    """Resolve a step where its outcome depends on weights or data, and apply it."""
    module = import_module(f"advisor.techniques.{step.technique}.apply")
    if hasattr(module, "resolve"):
        step = module.resolve(step, subject)
    return step, module.apply(step, subject)


def attempted(attempts: dict[str, Callable[[], Outcome]]) -> Outcome:
    """Return what each attempt found, and why others were refused; at least one must succeed."""
    results, refusals = {}, []
    for what, attempt in attempts.items():
        try:
            results[what] = attempt()
        except AdvisorError as error:
            refusals.append(f"{what}: {said(error)}")
    if not results:
        raise Refused(" / ".join(refusals))
    return {"methods": results, "refused": refusals}


def said(error: AdvisorError) -> str:
    """Return what an error says, in one line."""
    return " ".join(str(error).split())


def as_previewed(step: Step, bench: Bench, change: Change) -> Workload:
    after = profile_module(change.module, bench.shape, name="after", source="")
    planned = registry.get(step.technique).preview(step, bench.workload)
    real, wanted = (after.macs, after.params), (planned.macs, planned.params)
    if real != wanted:
        raise AssertionError(f"MACs and parameters {real} instead of {wanted} as previewed")
    return after


def share(after: Workload, before: Workload) -> Outcome:
    return {"macs_kept": round(after.macs / before.macs, 3), "params_kept": round(after.params / before.params, 3)}


def difference(wanted: NDArray[Any], found: NDArray[Any]) -> float:
    return float(np.abs(wanted - found).max() / max(np.abs(wanted).max(), 1e-12))
