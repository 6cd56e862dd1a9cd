"""The options that several commands share, each with its help and its completion."""

from pathlib import Path
from typing import Annotated, Any

import typer

from advisor.errors import GoalError

from . import complete

Model = Annotated[str, typer.Argument(metavar="MODEL", help="timm:NAME or a file: .pt, .pth, .safetensors, .onnx.")]
Target = Annotated[
    str | None,
    typer.Option(
        "--target", "-t", metavar="DEVICE", autocompletion=complete.devices, help="Device, 'host' or a .yaml profile."
    ),
]
Data = Annotated[Path | None, typer.Option("--data", "-d", metavar="DIR", help="Image folder, one folder per class.")]
Input = Annotated[str | None, typer.Option("--input", metavar="SHAPE", help="Input shape such as 1x3x224x224.")]
Arch = Annotated[str | None, typer.Option("--arch", metavar="NAME", help="Architecture of a file with weights only.")]
Checkpoint = Annotated[Path | None, typer.Option("--checkpoint", metavar="FILE", help="Weights for the architecture.")]
Trust = Annotated[
    bool, typer.Option("--trust", help="Allow code inside the model file to run. Only for your own files.")
]
Runtime = Annotated[str | None, typer.Option("--runtime", metavar="NAME", help="Consider only this runtime.")]
Batch = Annotated[int, typer.Option("--batch", metavar="N", help="Images per inference.")]
Threads = Annotated[int | None, typer.Option("--threads", metavar="N", help="CPU threads.")]
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
MaxDrop = Annotated[
    str | None,
    typer.Option("--max-drop", metavar="1.0", help="Accuracy loss in points.", rich_help_panel="Limits"),
]
Json = Annotated[bool, typer.Option("--json", help="Write JSON instead of text.")]
Seed = Annotated[int, typer.Option("--seed", metavar="N", help="Seed of everything random.")]


def model_options(shape: str | None, arch: str | None, checkpoint: Path | None, trust: bool) -> dict[str, Any]:
    """Return the options of loading that were given."""
    given = {"input_shape": read_shape(shape), "arch": arch, "checkpoint": checkpoint, "trust": trust or None}
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


def read_shape(text: str | None) -> tuple[int, ...] | None:
    """Read 1x3x224x224 or 1,3,224,224."""
    if text is None:
        return None
    parts = text.lower().replace(",", "x").split("x")
    if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise GoalError(
            f"--input: {text!r} is not a shape", remedy="Write batch, channels, height, width: 1x3x224x224."
        )
    return tuple(int(part) for part in parts)


def read_count(value: int | None, option: str, least: int = 1) -> int | None:
    """Refuse counts below `least`."""
    if value is not None and value < least:
        raise GoalError(f"{option}: {value} is too small", remedy=f"Give {least} or more.")
    return value
