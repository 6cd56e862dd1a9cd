"""Making a runtime's file of something else, and holding its outputs against ONNX Runtime's before it is kept."""

import os
import tempfile
import time
from pathlib import Path
from typing import Any

from advisor import runtimes
from advisor.errors import NotApplicable
from advisor.progress import Progress, Silent
from advisor.schema import Record

from .agreement import SLACK_INT8, Agreement, compare_outputs, refuse_others
from .apart import check_survives
from .fallbacks import fallbacks
from .onnx_source import Source, source_of
from .runtime import Runtime


class ExportedFile(Record):
    """One file of an artefact."""

    path: str
    bytes: int


class Exported(Record):
    """A file that was made, what it computes and where its operations run."""

    runtime: str
    version: str
    source: str
    files: tuple[ExportedFile, ...]
    input_shape: tuple[int, ...]
    quantized: bool  # the source holds quantize nodes
    agreement: Agreement
    seconds: float
    heavy_int8: int
    heavy_float: int
    boundaries: int
    arithmetic: dict[str, int]
    elsewhere: dict[str, int]
    operations: dict[str, int]
    notes: tuple[str, ...] = ()


def export(
    artefact: str | Path,
    runtime: str,
    out: Path | None = None,
    *,
    role: str = "shipped",
    seed: int = 0,
    install: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> Exported:
    """Make the file of `runtime` from a run folder, an ONNX file or a model, and check it.

    Of a run, `role` says which file: 'shipped' or 'baseline'. A file whose floats differ from ONNX Runtime's by more
    than rounding can explain is not kept. With `install`, an environment that the converter needs is made first.
    `options` are those of `advisor.loading.load`, for models.
    """
    progress = progress or Silent()
    chosen = runtimes.get(runtime)
    converter = getattr(chosen, "converter", None)
    if install and converter is not None:
        converter.make(progress)
    if converter is not None:
        converter.needed()  # before anything is opened
    with tempfile.TemporaryDirectory(prefix="advisor-export-") as folder:
        progress.start("open the model", None)
        source = source_of(artefact, role, Path(folder), options)
        target = _target(source, chosen, out)
        reference = runtimes.get("onnxruntime").load(source.onnx)  # first: it checks the file as no converter does
        progress.start(f"convert for {chosen.name}", None)
        began = time.perf_counter()
        made = chosen.convert(source.onnx, Path(folder) / "made" / f"{target.stem}{chosen.suffix}")
        seconds = round(time.perf_counter() - began, 2)
        progress.start("compare outputs with onnxruntime", None)
        check_survives(made, chosen.name)
        session = chosen.load(made)
        agreement = compare_outputs(reference, session, seed=seed)
        placement = chosen.placement(made)
        rounded = source.quantized or not {"bf16", "f16"}.isdisjoint(placement.arithmetic)
        if not rounded:
            refuse_others(agreement, chosen.name, source.told)
        files = _kept(chosen, made, target)
        progress.finish()
    return Exported(
        runtime=chosen.name,
        version=chosen.version(),
        source=source.told,
        files=tuple(ExportedFile(path=str(file), bytes=file.stat().st_size) for file in files),
        input_shape=session.input_shape,
        quantized=source.quantized,
        agreement=agreement,
        seconds=seconds,
        heavy_int8=placement.heavy_int8,
        heavy_float=placement.heavy_float,
        boundaries=placement.boundaries,
        arithmetic=placement.arithmetic,
        elsewhere=placement.elsewhere,
        operations=placement.counts,
        notes=(*_differences(agreement, rounded=rounded), *fallbacks(placement, chosen, quantized=source.quantized)),
    )


def _target(source: Source, runtime: Runtime, out: Path | None) -> Path:
    target = out or source.beside / f"{source.stem}{runtime.suffix}"
    if target.suffix != runtime.suffix:
        raise NotApplicable(f"files of {runtime.name} end in {runtime.suffix}", where=str(target), remedy="Rename it.")
    if target.is_dir():
        raise NotApplicable("a folder has this name", where=str(target), remedy="Name a file with -o.")
    same = [file for file in runtime.files(target) if file.resolve() in source.taken]
    if same:
        raise NotApplicable(
            "this would write over the model itself", where=str(same[0]), remedy="Name another file with -o."
        )
    return target


def _differences(agreement: Agreement, *, rounded: bool) -> tuple[str, ...]:
    if not rounded or agreement.holds(SLACK_INT8):
        return ()
    return (
        f"Outputs differ from onnxruntime's by up to {agreement.largest:.3g} of {agreement.scale:.3g}: other places of "
        "rounding add up. Measure the accuracy of this file before you ship it.",
    )


def _kept(runtime: Runtime, made: Path, target: Path) -> tuple[Path, ...]:
    """Move the files to where they belong, the one that names the others last."""
    target.parent.mkdir(parents=True, exist_ok=True)
    pairs = tuple(zip(runtime.files(made), runtime.files(target), strict=True))
    for source, kept in reversed(pairs):
        partial = kept.with_name(f".{kept.name}.{os.getpid()}.part")
        try:
            partial.write_bytes(source.read_bytes())
            os.replace(partial, kept)
        finally:
            partial.unlink(missing_ok=True)
    return tuple(kept for _, kept in pairs)
