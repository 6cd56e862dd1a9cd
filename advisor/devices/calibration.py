"""Where the calibration of this machine is kept, and whether it still fits.

The file lies in the user's configuration folder; ADVISOR_CALIBRATION names another one, or `off` for none.
"""

import os
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import ValidationError

from advisor.schema.calibration import Calibration
from advisor.writing import write_text

VARIABLE = "ADVISOR_CALIBRATION"


def calibration_path() -> Path | None:
    """Return the file of this machine's calibration, None where it is switched off."""
    from platformdirs import user_config_path

    named = os.environ.get(VARIABLE, "")
    if named.lower() in ("off", "0", "no"):
        return None
    return Path(named).expanduser() if named else user_config_path("advisor") / "calibration.json"


def store_calibration(calibration: Calibration, path: Path) -> None:
    """Write a calibration whole or not at all."""
    write_text(path, calibration.model_dump_json(indent=1) + "\n")


def stored_calibration(cpu: str) -> tuple[Calibration | None, str]:
    """Return the calibration that fits this CPU and runtime, or None, with a sentence for people ('' for none)."""
    path = calibration_path()
    if path is None or not path.is_file():
        return None, ""
    try:
        found = Calibration.model_validate_json(path.read_bytes())
    except (OSError, ValidationError, ValueError):
        return None, f"The calibration in {path.name} cannot be read; run 'advisor devices calibrate' again."
    reason = staleness(found, cpu)
    if reason:
        return None, f"The calibration of {found.date[:10]} is stale: {reason}. Run 'advisor devices calibrate' again."
    return found, summary(found)


def staleness(calibration: Calibration, cpu: str) -> str:
    """Say what has changed since a calibration, or return an empty string."""
    if calibration.cpu != cpu:
        return f"it was made on {calibration.cpu}"
    try:
        now = version(calibration.runtime)
    except PackageNotFoundError:
        return f"{calibration.runtime} is not installed any more"
    if now != calibration.runtime_version:
        return f"{calibration.runtime} was {calibration.runtime_version} and is {now}"
    return ""


def summary(calibration: Calibration) -> str:
    """Tell in one sentence what a calibration is worth."""
    errors = ", ".join(
        f"{e.form.replace('_', ' ')} {e.mean_error:.0%}" + (f" with {e.threads} threads" if e.threads > 1 else "")
        for e in calibration.errors
    )
    return (
        f"Calibrated on {calibration.date[:10]} with {calibration.runtime} {calibration.runtime_version} by "
        f"{calibration.samples} timings; mean error on networks left out: {errors}."
    )
