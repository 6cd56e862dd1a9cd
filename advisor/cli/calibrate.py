"""`advisor devices calibrate`: time this machine, so that latencies for 'host' rest on measurements."""

from pathlib import Path
from typing import Annotated

import typer

from .console import progress, show_json, show_page
from .options import Json


def command(
    quick: Annotated[bool, typer.Option("--quick", help="Fewer networks and rounds: a rougher fit.")] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write here instead of the configuration folder.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Time kernels and small networks on this machine (about three minutes) for latencies of the device 'host'."""
    from advisor.calibration.run import calibrate
    from advisor.devices.calibration import VARIABLE, calibration_path, store_calibration
    from advisor.errors import GoalError
    from advisor.reports.calibration import calibration_page

    target = out or calibration_path()
    if target is None:
        raise GoalError(f"{VARIABLE} switches calibrations off", remedy="Unset it, or name a file with --out.")
    with progress(as_json) as bars:
        found = calibrate(quick=quick, progress=bars)
    store_calibration(found, target)
    show_json(found) if as_json else show_page(calibration_page(found, str(target)))
