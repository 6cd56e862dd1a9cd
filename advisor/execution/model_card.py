"""The page `model_card.md` of a run: what the model is, how it was made, what was measured, and what it is not for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from advisor.schema import UNITS, Measurement, RunRecord
from advisor.units import three
from advisor.writing import write_text

CARD = "model_card.md"
_ENVIRONMENT = (
    "machine", "system", "python", "torch", "onnxruntime", "timm", "torch-pruning", "accelerate", "numpy", "threads",
    "training_threads",
)  # fmt: skip


def write_card(record: RunRecord, folder: Path) -> Path:
    """Write model_card.md and return its path."""
    path = folder / CARD
    write_text(path, "\n".join(card(record)) + "\n")
    return path


def card(record: RunRecord) -> Iterator[str]:
    """Yield the lines of the card."""
    yield from (f"# {record.model}, compressed: {record.done.label}", "")
    yield from (f"Made for {record.device} ({record.plan.path}) with advisor {record.engine} on {record.created}.", "")
    for title, lines in (
        ("What was done", _done(record)),
        ("Data", _data(record)),
        ("Measured figures", _measured(record)),
        ("Files", _files(record)),
        ("Limits", _limits(record)),
        ("How to make it again", _again(record)),
    ):
        yield from (f"## {title}", "", *lines, "")


def _done(record: RunRecord) -> Iterator[str]:
    yield f"Original: `{record.model}`, weights SHA-256 `{record.model_digest[:16]}`."
    yield ""
    for number, step in enumerate(record.steps, 1):
        yield f"{number}. **{step.technique}** ({_settings(step.settings)}): {step.done}"
    if not record.steps:
        yield "Nothing was changed but the form of the file."


def _settings(settings: dict[str, Any]) -> str:
    told = (f"{name} {value}" for name, value in settings.items() if isinstance(value, str | int | float))
    return ", ".join(told)


def _data(record: RunRecord) -> Iterator[str]:
    data = record.data
    if data is None:
        yield "No images were used."
        return
    parts = ("train", "selection", "calibration", "test")
    classes = f", {len(data.classes)} classes" if data.classes else ""
    counts = ", ".join(f"{count} {part}" for part in parts if (count := getattr(data, part, 0)))
    yield f"`{data.origin}`{classes}: {counts} images, divided with seed {record.seed}."
    yield "Training, the choice of settings and calibration never saw the test images."
    yield f"SHA-256 over parts, names and sizes: `{data.digest[:16]}`."


def _measured(record: RunRecord) -> Iterator[str]:
    yield "| figure | value | low to high | original | method |"
    yield "|---|---|---|---|---|"
    for one in record.measurements:
        yield _row(one)
    shipped = record.accuracy.get("shipped")
    if shipped is not None:
        low, high = record.accuracy.get("shipped_low"), record.accuracy.get("shipped_high")
        spread = "" if low is None or high is None else f"{low:.1f} to {high:.1f}"
        metric, unit = (record.data.metric, record.data.unit) if record.data else ("top-1", "%")
        original = record.accuracy["original"]
        yield f"| {metric} | {shipped:.2f} {unit} | {spread} | {original:.2f} {unit} | held-out images |"
    yield ""
    yield f"Measured on {record.environment.get('machine', 'an unknown machine')}. Low to high: the 95 % interval of"
    yield "accuracies, the quartiles over rounds of everything else."


def _row(one: Measurement) -> str:
    unit = UNITS[one.metric]
    before = "" if one.baseline_value is None else f"{three(one.baseline_value)} {unit}"
    spread = f"{three(one.low)} to {three(one.high)} {unit}"
    return f"| {one.metric.value} | {three(one.value)} {unit} | {spread} | {before} | {one.method} |"


def _files(record: RunRecord) -> Iterator[str]:
    for one in record.artefacts:
        yield f"- `{one.file}` ({one.role}, {one.bytes} bytes, SHA-256 `{one.sha256[:16]}`)"


_VERDICTS = {"kept": "kept", "within error": "kept as far as so few images can tell", "broken": "broken"}


def _limits(record: RunRecord) -> Iterator[str]:
    yield from _searched(record)
    for note in record.notes:
        yield f"- {note}"
    if record.data is not None and "original" in record.accuracy:
        yield "- Accuracy holds for images like the test images named above, prepared as `preprocessing.json` says."
    else:
        yield "- Nothing is known about the accuracy of this model."
        for name in ("agreement", "similarity"):
            if name in record.accuracy:
                alike = f"{name.capitalize()} with the original on images without labels"
                yield f"- {alike}: {record.accuracy[name]:.1f} %."
    if not record.on_this_machine:
        yield "- Time and memory were measured on another machine than the target."
    yield "- Fairness, robustness to other images and safety were not examined."


def _searched(record: RunRecord) -> Iterator[str]:
    """Say how the settings were found and whether the limit holds."""
    search = record.search
    if search is None:
        return
    yield (
        f"- The settings were searched for: at most {search.max_drop:g} points of {search.metric} may be lost. "
        f"{len(search.trials)} were tried on {search.selection} images that are no test images."
    )
    if search.drop is None or search.drop_low is None or search.drop_high is None:
        yield "- The limit was not measured on test images."
        return
    points = f"{search.drop:.2f} points ({search.drop_low:.2f} to {search.drop_high:.2f})"
    yield f"- Lost on the test images: {points}; the limit is {_VERDICTS[search.verdict]}."


def _again(record: RunRecord) -> Iterator[str]:
    yield f"`plan.json` holds the plan, `run.json` everything else; seed {record.seed}. Made with:"
    yield ""
    for name in _ENVIRONMENT:
        if name in record.environment:
            yield f"- {name}: {record.environment[name]}"
