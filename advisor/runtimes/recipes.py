"""Deployment instructions for targets that cannot run here: templates in `knowledge/recipes/`, filled for one plan."""

from pathlib import Path
from string import Formatter
from typing import Any

from pydantic import Field, field_validator

from advisor.facts import plan_precision
from advisor.resources import data_dir, read_record
from advisor.schema import Device, Plan, Record

PLACEHOLDERS = frozenset({"onnx", "shipped", "calibration", "shape", "name", "precision", "device"})


class Line(Record):
    """One instruction: a sentence, a command, or both.

    `precisions` and `units` empty mean for every plan; `made` says whether the line is for runs that hold the runtime's
    own file already, or for those that do not.
    """

    say: str = ""
    run: str = ""
    precisions: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    made: bool | None = None

    @field_validator("say", "run")
    @classmethod
    def _known_placeholders(cls, text: str) -> str:
        unknown = {name for _, name, _, _ in Formatter().parse(text) if name is not None} - PLACEHOLDERS
        if unknown:
            raise ValueError(f"unknown placeholder {{{unknown.pop()}}}; known: {', '.join(sorted(PLACEHOLDERS))}")
        return text


class Variant(Record):
    """What differs on devices whose id starts with one of `devices`."""

    devices: tuple[str, ...] = Field(min_length=1)
    versions: str = ""
    max_opset: int | None = None
    note: str = ""


class Source(Record):
    """Where an instruction was read (`seen`), or that it was recalled."""

    ref: str
    seen: bool = True


class Recipe(Record):
    """How a plan's files get onto one runtime. `remains` says which conversion is still to be done there.

    `suffix` ends the files of the runtime where advisor makes them itself.
    """

    runtime: str
    title: str
    accepts: str
    remains: str
    suffix: str = ""
    versions: str = ""
    max_opset: int | None = None  # newest ONNX opset that the runtime's converter reads
    variants: tuple[Variant, ...] = ()
    steps: tuple[Line, ...] = Field(min_length=1)
    sources: tuple[Source, ...] = Field(min_length=1)

    def variant(self, device_id: str) -> Variant | None:
        """Return the variant that fits a device."""
        return next((v for v in self.variants if device_id.startswith(v.devices)), None)


def load_recipe(runtime: str) -> Recipe | None:
    """Return the recipe of a runtime, None where there is none."""
    path = data_dir("knowledge") / "recipes" / f"{Path(runtime).name}.yaml"
    if not path.is_file():
        return None
    return read_record(path, Recipe)


def max_opset(plan: Plan, device: Device) -> int | None:
    """Return the newest ONNX opset that the target reads, None where that is not limited or not known."""
    known = load_recipe(plan.runtime)
    if known is None:
        return None
    variant = known.variant(device.id)
    return variant.max_opset if variant and variant.max_opset else known.max_opset


def recipe(plan: Plan, device: Device, files: dict[str, Any]) -> tuple[str, ...]:
    """Return the instructions for the target, one per line; commands start with '$ '.

    `files` fills the placeholders: onnx (float file), shipped, calibration (folder), shape, name.
    """
    known = load_recipe(plan.runtime)
    if known is None:
        return (
            f"{plan.runtime}: advisor has no deployment recipe for this runtime.",
            f"Give {files.get('onnx', 'the ONNX file')} to its own converter and repeat the measurement on the device.",
        )
    values = {name: str(files.get(name, f"<{name}>")) for name in PLACEHOLDERS}
    values.update(precision=plan_precision(plan), device=device.name)
    variant = known.variant(device.id)
    versions = (variant.versions if variant else "") or known.versions
    lines = [f"{known.title} on {device.name}" + (f" ({versions})" if versions else "")]
    made = bool(known.suffix) and values["shipped"].endswith(known.suffix)
    remains = "nothing; copy {shipped} and what belongs to it" if made else known.remains
    lines += [f"Accepts: {known.accepts}", f"Remains to be done: {remains}"]
    if variant and variant.note:
        lines.append(variant.note)
    for step in known.steps:
        if not _fits(step, values["precision"], plan.unit, made=made):
            continue
        lines += [text for text in (step.say, f"$ {step.run}" if step.run else "") if text]
    filled = tuple(line.format_map(values) for line in lines)
    return (*filled, "Sources: " + "; ".join(s.ref + ("" if s.seen else " (recalled)") for s in known.sources))


def _fits(line: Line, precision: str, unit: str, *, made: bool) -> bool:
    """Whether a line is for a plan."""
    return (
        (not line.precisions or precision in line.precisions)
        and (not line.units or unit in line.units)
        and line.made in (None, made)
    )
