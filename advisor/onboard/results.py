"""What the program on the board writes, read back with every claim checked that can be."""

import json
import math
from pathlib import Path
from statistics import median
from typing import Any, Literal

from pydantic import Field, ValidationError, model_validator

from advisor.errors import RunError
from advisor.measurement.latency import FEWEST_ROUNDS
from advisor.schema import Record

MOST_BYTES = 16 * 1024**2
AGREES = 0.01  # of a median or minimum with its rounds
BUSY = 50.0  # the wall clock may run this much longer than CPU time; units are a thousandfold apart
_REMEDY = "Give the results.json that the kit's measure.py wrote, unchanged."


class BoardConditions(Record):
    """What the board was doing; None where it does not show it."""

    load: float | None = None
    governor: str | None = None
    clock_mhz: int | None = None
    temperature_c: float | None = None
    throttle_events: int | None = None
    undervolted: bool | None = None


class BoardMachine(Record):
    """The board as it describes itself."""

    name: str
    arch: str
    cpus: int | None
    system: str
    python: str


class BoardArtefact(Record):
    """A file that was measured; times are milliseconds, memory 1e6 bytes, energy millijoules an inference."""

    role: Literal["baseline", "shipped"]
    file: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(gt=0)
    rounds_ms: tuple[float, ...] = Field(min_length=FEWEST_ROUNDS)
    median_ms: float = Field(gt=0)
    minimum_ms: float = Field(gt=0)
    runs_per_round: int | None = Field(ge=1)  # None where a tool decides
    seconds: float = Field(gt=0)  # wall clock of all rounds
    energy_mj: tuple[float, ...] = ()
    peak_mb: float | None = Field(default=None, gt=0)
    runtime_mb: float | None = Field(default=None, gt=0)

    @model_validator(mode="after")
    def _figures_fit(self) -> "BoardArtefact":
        figures = (*self.rounds_ms, *self.energy_mj, self.seconds)
        if not all(math.isfinite(value) and value > 0 for value in figures):
            raise ValueError("a figure is not a positive number")
        for name, stated, found in (
            ("median_ms", self.median_ms, median(self.rounds_ms)),
            ("minimum_ms", self.minimum_ms, min(self.rounds_ms)),
        ):
            if abs(stated - found) > AGREES * found:
                raise ValueError(f"{name} is {stated:g}, but the rounds give {found:g}")
        return self


class BoardResults(Record):
    """The file results.json."""

    format: Literal["advisor-bench-results"]
    version: Literal[1]
    time_unit: Literal["ms"]
    device: str
    created: str
    runtime: str  # as plans name it
    used: str  # the package or program that measured
    runtime_version: str
    unit: str
    threads: int = Field(ge=1)
    clock: Literal["cpu", "wall"]
    machine: BoardMachine
    before: BoardConditions
    after: BoardConditions
    meter: str = ""
    artefacts: tuple[BoardArtefact, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _times_fit(self) -> "BoardResults":
        """Hold the figures against the wall clock: another unit than milliseconds is a thousandfold off."""
        for one in self.artefacts:
            runs = (one.runs_per_round or 1) * sum(one.rounds_ms) / 1e3
            too_short = one.runs_per_round is not None and runs * (BUSY if self.clock == "cpu" else 1.25) < one.seconds
            if runs > 1.25 * one.seconds or too_short:
                raise ValueError(
                    f"the rounds of {one.file} took {one.seconds:.3g} s, but their figures add up to {runs:.3g} s: "
                    "they are not in milliseconds"
                )
        roles = [one.role for one in self.artefacts]
        if "shipped" not in roles or len(set(roles)) < len(roles):
            raise ValueError("the shipped file is missing, or a file is there twice")
        return self


def read_results(path: Path) -> BoardResults:
    """Read and check results.json; RunError where it is not what the program on the board writes."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise RunError("the results are too large", where=str(path), remedy=_REMEDY)
        fields: Any = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except OSError as error:
        raise RunError(f"the results cannot be read: {error.strerror}", where=str(path), remedy=_REMEDY) from error
    except (ValueError, RecursionError) as error:
        raise RunError(f"the results are no JSON: {error}", where=str(path), remedy=_REMEDY) from error
    return checked(fields, str(path))


def checked(fields: Any, where: str) -> BoardResults:
    """Check results that were read already."""
    try:
        return BoardResults.model_validate(fields)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        told = f"{place}: {said}" if place else said
        raise RunError(f"the results are not usable: {told}", where=where, remedy=_REMEDY) from error


def _refuse(name: str) -> float:
    raise ValueError(f"{name} is not a number")
