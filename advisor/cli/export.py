"""`advisor export`: make the file of another runtime and check that it computes the same."""

from pathlib import Path
from typing import Annotated

import typer

from advisor.errors import GoalError

from . import options as given
from .console import progress, show_json, show_page


def command(
    artefact: Annotated[
        str, typer.Argument(metavar="ARTEFACT", help="Folder that 'advisor apply' wrote, an .onnx file, or a model.")
    ],
    runtime: Annotated[
        str | None,
        typer.Option("--runtime", "-r", metavar="NAME", help="onnxruntime, openvino, ncnn, executorch, tflite, ..."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The file; beside the model by default.")
    ] = None,
    baseline: Annotated[bool, typer.Option("--baseline", help="Of a run, the unchanged model.")] = False,
    install: Annotated[
        bool, typer.Option("--install", help="Make the environment that the converter needs, if it needs one.")
    ] = False,
    batch: given.Batch = 1,
    shape: given.Input = None,
    arch: given.Arch = None,
    checkpoint: given.Checkpoint = None,
    allow_package: given.AllowPackage = None,
    trust: given.Trust = False,
    seed: given.Seed = 0,
    as_json: given.Json = False,
) -> None:
    """Make the file of a runtime, hold its outputs against ONNX Runtime's, and show where its operations run.

    A float file that computes something else is not kept.
    """
    from advisor.runtimes import names

    if runtime is None:
        raise GoalError("no runtime named", remedy=f"Give --runtime: {', '.join(names())}.")
    given.read_count(batch, "--batch")
    options = given.model_options(shape, arch, checkpoint, trust, allow_package)
    if batch != 1:
        options["batch"] = batch

    from advisor.reports.exported import exported_page
    from advisor.runtimes.exporting import export

    role = "baseline" if baseline else "shipped"
    with progress(quiet=as_json) as bars:
        made = export(artefact, runtime, output, role=role, seed=seed, install=install, progress=bars, **options)
    show_json(made) if as_json else show_page(exported_page(made))
