"""`advisor estimate`: what the vendor's own tool says of a file, without the board."""

from pathlib import Path
from typing import Annotated

import typer

from .console import progress, show_json, show_page
from .options import Json, Target


def command(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The converted network: .tflite for Ethos-U.")],
    target: Target = None,
    run_dir: Annotated[
        Path | None, typer.Option("--run", metavar="RUN_DIR", help="Compare with the prediction of this run.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Let the vendor's tool estimate a file: cycles, memory, and which operators the accelerator takes.

    For Ethos-U that is Arm's Vela (pip install ethos-u-vela). Its figures are estimates, not measurements.
    """
    from advisor.onboard.estimators.compare import estimated
    from advisor.reports.vendor import vendor_page

    with progress(quiet=as_json) as bars:
        bars.start("the vendor's tool estimates")
        report = estimated(file, target, run_dir)
    show_json(report) if as_json else show_page(vendor_page(report))
