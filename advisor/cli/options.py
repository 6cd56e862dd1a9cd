"""The options that several commands share, each with its help and its completion."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from advisor.errors import GoalError, nearest

from . import complete

Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL", help="A file (.pt .pth .safetensors .pt2 .onnx ...) or timm:NAME, torchvision:NAME, ..."
    ),
]
Target = Annotated[
    str | None,
    typer.Option(
        "--target", "-t", metavar="DEVICE", autocompletion=complete.devices, help="Device, 'host' or a .yaml profile."
    ),
]
Data = Annotated[
    str | None,
    typer.Option(
        "--data",
        "-d",
        metavar="DATA",
        help="Image folder (a folder per class), list (.csv .jsonl), .npz, torchvision:NAME, timm:NAME or "
        "python:MODULE:FUNCTION.",
    ),
]
Probe = Annotated[
    bool,
    typer.Option(
        "--probe", help="First look at what plans do to this model on the images of --data, for some minutes."
    ),
]
ProbeTime = Annotated[
    str | None,
    typer.Option("--probe-time", metavar="3m", help="How long the look may take; implies --probe."),
]
Input = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        metavar="SHAPE",
        help="Input shape such as 1x3x224x224; once per input, NAME=SHAPE[:DTYPE] if needed.",
    ),
]
Arch = Annotated[
    str | None,
    typer.Option("--arch", metavar="NAME", help="Network of a file with weights: timm:NAME, torchvision:NAME, ..."),
]
Checkpoint = Annotated[Path | None, typer.Option("--checkpoint", metavar="FILE", help="Weights for the architecture.")]
Trust = Annotated[
    bool, typer.Option("--trust", help="Allow code inside the model file to run. Only for your own files.")
]
AllowPackage = Annotated[
    list[str] | None,
    typer.Option(
        "--allow-package", metavar="NAME", help="Accept layer classes of this installed package (repeatable)."
    ),
]
Runtime = Annotated[str | None, typer.Option("--runtime", metavar="NAME", help="Consider only this runtime.")]
Batch = Annotated[int, typer.Option("--batch", metavar="N", help="Images per inference.")]
Threads = Annotated[int | None, typer.Option("--threads", metavar="N", help="CPU threads.")]
PowerMode = Annotated[
    str | None, typer.Option("--power-mode", metavar="MODE", help="Power mode of the device, by name or watts.")
]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Store the plan (.json) or a report (.md).")
]
GoalName = Annotated[
    str,
    typer.Option("--goal", metavar="GOAL", autocompletion=complete.goals, help=f"One of {', '.join(complete.GOALS)}."),
]
BudgetName = Annotated[
    str,
    typer.Option(
        "--budget", metavar="EFFORT", autocompletion=complete.budgets, help=f"One of {', '.join(complete.BUDGETS)}."
    ),
]
MaxLatency = Annotated[
    str | None, typer.Option("--max-latency", metavar="33ms", help="Of one inference.", rich_help_panel="Limits")
]
MinFps = Annotated[
    str | None, typer.Option("--min-fps", metavar="30", help="Images per second.", rich_help_panel="Limits")
]
MaxSize = Annotated[
    str | None, typer.Option("--max-size", metavar="10MB", help="Of the file.", rich_help_panel="Limits")
]
MaxMemory = Annotated[
    str | None, typer.Option("--max-memory", metavar="256MB", help="Peak while it runs.", rich_help_panel="Limits")
]
MaxEnergy = Annotated[
    str | None, typer.Option("--max-energy", metavar="50mJ", help="Of one inference.", rich_help_panel="Limits")
]
MaxFlash = Annotated[
    str | None,
    typer.Option("--max-flash", metavar="1MB", help="Of a microcontroller's flash.", rich_help_panel="Limits"),
]
MaxDrop = Annotated[
    str | None,
    typer.Option("--max-drop", metavar="1.0", help="Accuracy loss in points.", rich_help_panel="Limits"),
]
TimeBudget = Annotated[
    str | None,
    typer.Option("--time-budget", metavar="20m", help="For the search with --max-drop.", rich_help_panel="Limits"),
]
Rules = Annotated[
    list[Path] | None,
    typer.Option("--rules", metavar="DIR", help="Folder with rules of your own (repeatable); also ADVISOR_RULES."),
]
Outcomes = Annotated[
    str | None,
    typer.Option(
        "--outcomes", metavar="STORE", help="File or database URL of outcomes, or 'off'; also ADVISOR_OUTCOMES."
    ),
]
NoRecord = Annotated[bool, typer.Option("--no-record", help="Do not record what came of it ('advisor history').")]
Json = Annotated[bool, typer.Option("--json", help="Write JSON instead of text.")]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Seed of everything random.")]


def model_options(
    shapes: list[str] | None, arch: str | None, checkpoint: Path | None, trust: bool, packages: list[str] | None
) -> dict[str, Any]:
    """Return the options of loading that were given; what --trust means is said first."""
    if trust:
        print(
            "note: --trust runs code that the model file or function carries, with your rights on this machine",
            file=sys.stderr,
        )
    given = {
        "input_shape": read_inputs(shapes),
        "arch": arch,
        "checkpoint": checkpoint,
        "trust": trust or None,
        "allow_packages": tuple(packages) if packages else None,
    }
    return {name: value for name, value in given.items() if value is not None}


def needed_target(target: str | None) -> str:
    """Return the device, or refuse its absence."""
    if target is None:
        raise GoalError("no device named", remedy="Give --target DEVICE; 'advisor devices list' shows all.")
    return target


def check_output(output: Path | None) -> None:
    """Refuse an output file of unknown kind before the work starts."""
    if output is not None and output.suffix not in (".json", ".md"):
        raise GoalError(f"--output: {str(output)!r} is neither .json nor .md", remedy="Name it plan.json or report.md.")


def read_inputs(texts: list[str] | None) -> Any:
    """Read --input options: 1x3x224x224 or 1,3,224,224, with NAME= before and :DTYPE behind where needed."""
    if not texts:
        return None
    found = [_read_input(text) for text in texts]
    plain = len(found) == 1 and set(found[0]) == {"shape"}
    return tuple(found[0]["shape"]) if plain else found


def _read_input(text: str) -> dict[str, Any]:
    name, equals, rest = text.rpartition("=")
    figures, colon, dtype = rest.partition(":")
    parts = figures.lower().replace(",", "x").split("x")
    if not all(part.strip().isdecimal() and int(part) > 0 for part in parts) or (equals and not name):
        raise GoalError(
            f"--input: {text!r} is not a shape",
            remedy="Write batch, channels, height, width: 1x3x224x224, or NAME=1x3x224x224:float32.",
        )
    given: dict[str, Any] = {"shape": [int(part) for part in parts]}
    return given | ({"name": name} if name else {}) | ({"dtype": dtype} if colon else {})


def one_of(name: str, known: Sequence[str], option: str) -> str:
    """Refuse a name that an option does not know, with the nearest ones."""
    if name not in known:
        hint = nearest(name, known) or f"Use one of {', '.join(known)}."
        raise GoalError(f"{option}: unknown name {name!r}", remedy=hint)
    return name


def read_count(value: int | None, option: str, least: int = 1) -> int | None:
    """Refuse counts below `least`."""
    if value is not None and value < least:
        raise GoalError(f"{option}: {value} is too small", remedy=f"Give {least} or more.")
    return value
