"""Arm's Vela for Ethos-U: compiles an int8 TFLite file and estimates cycles, SRAM and which operators the NPU takes."""

import csv
import re
import shutil
import subprocess
import sys
import tempfile
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from advisor.digests import sha256
from advisor.errors import NotApplicable, RunError, nearest
from advisor.resources import data_dir, read_record
from advisor.schema import Device, Metric, Record, VendorEstimate

TIMEOUT_SECONDS = 900
_KIB = 1024 / 1e6  # MB
_OPERATOR = re.compile(r"^ +(CPU|NPU): (\S+) = (\S+)", re.MULTILINE)
_REASON = re.compile(r"operator: (\S+), ofm: '([^']*)'\n[ -]*(?:Reason: )?(.+)")
_CYCLES = {
    "total": "cycles_total",
    "arithmetic": "cycles_npu",
    "SRAM": "cycles_sram_access",
    "DRAM": "cycles_dram_access",
    "flash": "cycles_off_chip_flash_access",
}


class Board(Record):
    """How Vela is told of a device; `note` says where its system differs from the board."""

    accelerator: str
    system: str
    memory: str
    note: str = ""


class VelaFile(Record):
    """The file `knowledge/estimators/vela.yaml`."""

    source: str
    devices: dict[str, Board]


@lru_cache(maxsize=1)
def boards() -> VelaFile:
    """Read what Vela is told of each device."""
    return read_record(data_dir("knowledge") / "estimators" / "vela.yaml", VelaFile)


class Vela:
    """The package ethos-u-vela: of this environment, else a program `vela` in the path."""

    name = "vela"

    def version(self) -> str:
        """Version of Vela."""
        return self._said(["--version"]).strip().splitlines()[-1]

    def estimate(self, file: Path, device: Device) -> VendorEstimate:
        """Compile the file and read Vela's summary; the compiled file itself is not kept."""
        board = boards().devices.get(device.id)
        if board is None:
            raise NotApplicable(
                f"it is not known what to tell Vela of {device.id}",
                remedy=nearest(device.id, boards().devices) or f"Known are {', '.join(boards().devices)}.",
            )
        _check(file)
        version = self.version()
        with tempfile.TemporaryDirectory(prefix="advisor-vela-") as folder:
            said = self._said(
                [str(file.resolve()), "--accelerator-config", board.accelerator, "--system-config", board.system,
                 "--memory-mode", board.memory, "--config", "Arm/vela.ini", "--show-cpu-operations",
                 "--output-dir", folder]
            )  # fmt: skip
            row = _summary(Path(folder), said)
        return _answer(file, device, board, f"vela {version}", row, said)

    def _said(self, arguments: list[str]) -> str:
        """Run Vela and return what it wrote."""
        try:
            done = subprocess.run(
                [*_program(), *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                timeout=TIMEOUT_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise RunError(f"Vela did not finish within {TIMEOUT_SECONDS} s") from error
        if done.returncode != 0:
            lines = [line for line in done.stdout.strip().splitlines() if line.strip()]
            told = next((line for line in lines if "rror" in line), lines[-1] if lines else f"status {done.returncode}")
            raise RunError(f"Vela refuses the file: {told.strip()}", where=arguments[0])
        return done.stdout


def _program() -> list[str]:
    if find_spec("ethosu") is not None and find_spec("ethosu.vela") is not None:
        return [sys.executable, "-m", "ethosu.vela"]
    found = shutil.which("vela")
    if found is None:
        raise NotApplicable("Vela is not installed", remedy="pip install ethos-u-vela (Apache-2.0)")
    return [found]


def _check(file: Path) -> None:
    """Refuse what is no TFLite file; its identifier stands in bytes 4 to 8."""
    try:
        with file.open("rb") as opened:
            head = opened.read(8)
    except OSError as error:
        raise RunError(f"{file} cannot be read: {error.strerror}", remedy="Give an int8 .tflite file.") from error
    if head[4:] != b"TFL3":
        raise RunError(f"{file.name} is no TFLite file", where=str(file), remedy="Give an int8 .tflite file.")


def _summary(folder: Path, said: str) -> dict[str, str]:
    found = sorted(folder.glob("*_summary_*.csv"))
    if not found:
        last = said.strip().splitlines()[-1] if said.strip() else "it said nothing"
        raise RunError(f"Vela wrote no summary: {last}")
    with found[0].open(newline="", encoding="utf-8") as opened:
        return next(csv.DictReader(opened))


def _answer(file: Path, device: Device, board: Board, version: str, row: dict[str, str], said: str) -> VendorEstimate:
    try:
        figures, in_dram = _figures(row)
        cycles = {name: round(float(row[column])) for name, column in _CYCLES.items()}
        macs = round(float(row["nn_macs"]))
    except (KeyError, ValueError) as error:
        raise RunError(f"this version of Vela writes another summary: {error}", where=version) from error
    operators = [(unit, f"{kind} ({name})") for unit, kind, name in _OPERATOR.findall(said)]
    fallen = tuple(name for unit, name in operators if unit == "CPU")
    accelerated = tuple(name for unit, name in operators if unit == "NPU")
    notes = [board.note] if board.note else []
    if in_dram:
        notes.append("Memory holds the weights as well: on this system they lie in DRAM with the activations.")
    if not accelerated:
        notes.append("Nothing runs on the accelerator: Vela takes full-int8 files.")
    elif fallen:
        notes.append("The time of operators on the CPU is in no figure of Vela's.")
    return VendorEstimate(
        estimator=version,
        device=device.id,
        file=str(file),
        sha256=sha256(file),
        settings=board.model_dump(exclude={"note"}),
        figures=figures,
        macs=macs,
        cycles=cycles,
        accelerated=accelerated,
        fallen=fallen,
        reasons=tuple(dict.fromkeys(f"{kind} ({name}): {why.strip()}" for kind, name, why in _REASON.findall(said))),
        notes=tuple(notes),
    )


def _figures(row: dict[str, str]) -> tuple[dict[Metric, float], bool]:
    """Return the figures in our units, and whether weights lie in DRAM; Vela writes seconds and KiB."""
    flash = float(row["off_chip_flash_memory_used"]) + float(row["on_chip_flash_memory_used"])
    memory = float(row["sram_memory_used"]) + float(row["dram_memory_used"])
    figures = {Metric.LATENCY: float(row["inference_time"]) * 1e3, Metric.MEMORY: memory * _KIB}
    if flash:
        figures[Metric.FLASH] = flash * _KIB
    return figures, row["weights_storage_area"].upper() == "DRAM"
