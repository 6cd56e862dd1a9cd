"""From a probe to the files that ship: float, static and dynamic int8, by the project's own export and techniques."""

import contextlib
import logging
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from advisor.errors import AdvisorError, NotApplicable
from advisor.runtimes.silence import silent
from advisor.schema import Workload

from .probes import Probe, built, probes

FORMS = ("fp32", "int8", "int8_dynamic")


@dataclass(frozen=True)
class Artefact:
    """One form of a probe: the network as previewed (not fused) and the bytes of its ONNX file."""

    probe: str
    family: str
    form: str
    workload: Workload
    model: bytes


def artefacts(module: Any, shape: tuple[int, ...], *, name: str, family: str) -> tuple[Artefact, ...]:
    """Export a module and quantize it in every form that its operations allow."""
    from advisor.profiling import profile_module
    from advisor.runtimes.onnx_export import export_onnx
    from advisor.techniques.dynamic_int8.apply import apply as apply_dynamic
    from advisor.techniques.dynamic_int8.preview import preview as preview_dynamic
    from advisor.techniques.dynamic_int8.step import DynamicInt8
    from advisor.techniques.static_int8.apply import apply as apply_static
    from advisor.techniques.static_int8.preview import preview as preview_static
    from advisor.techniques.static_int8.step import StaticInt8
    from advisor.techniques.subject import Subject

    workload = profile_module(module, shape, name=name, source=name)
    with tempfile.TemporaryDirectory() as folder, silent():
        plain = export_onnx(module, shape, Path(folder) / "float.onnx")
        subject = Subject(shape, Path(folder), onnx=plain, calibration=lambda _: _noise(shape))
        static, dynamic = StaticInt8(signedness="u8s8", calibration_images=1), DynamicInt8(signedness="u8s8")
        made = [("fp32", workload, plain)]
        with contextlib.suppress(NotApplicable):  # the quantizer does not follow every graph
            made.append(("int8", preview_static(static, workload), apply_static(static, subject).onnx or plain))
        with contextlib.suppress(NotApplicable):  # a network without matrix products has no dynamic form
            file = apply_dynamic(dynamic, subject).onnx or plain
            made.append(("int8_dynamic", preview_dynamic(dynamic, workload), file))
        return tuple(Artefact(name, family, form, after, file.read_bytes()) for form, after, file in made)


def prepared(quick: bool, workers: int) -> Iterator[tuple[Probe, tuple[Artefact, ...]]]:
    """Make the artefacts of all probes in `workers` processes; a probe that cannot be made is left out."""
    chosen = probes(quick)
    numbers = sorted(range(len(chosen)), key=lambda i: chosen[i].name == chosen[i].family)  # networks take longest
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        # A process made by spawn cannot be sent the probe's function: it takes the probe from the list again.
        running = [(chosen[i], pool.submit(_prepare, i, quick)) for i in reversed(numbers)]
        for probe, future in running:
            yield probe, future.result()


def _prepare(index: int, quick: bool) -> tuple[Artefact, ...]:
    import torch

    torch.set_num_threads(1)
    probe = probes(quick)[index]
    try:
        return artefacts(built(probe), probe.input_shape, name=probe.name, family=probe.family)
    except AdvisorError as error:
        logging.getLogger(__name__).warning("%s is left out: %s", probe.name, error)
        return ()


def _noise(shape: tuple[int, ...]) -> Iterator[Any]:
    import numpy as np

    yield np.random.default_rng(0).standard_normal(shape).astype(np.float32)
