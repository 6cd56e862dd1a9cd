"""The page `recipe.md` of a run: what is in the folder and how it gets onto the target."""

from pathlib import Path

from advisor.schema import Artefact, RunRecord

PAGE = "recipe.md"
_ROLES = {
    "baseline": "the unchanged model in the same format, for comparison",
    "shipped": "the compressed model",
    "baseline-data": "belongs to the unchanged model's file",
    "shipped-data": "belongs to the compressed model's file",
    "baseline-onnx": "the unchanged model as ONNX, from which its file was made",
    "shipped-onnx": "the compressed model as ONNX, from which its file was made",
    "preprocessing": "size, mean and standard deviation of the input",
    "split": "which image played which part",
    "plan": "the plan as asked for and as carried out",
    "weights": "weights before quantization, for other converters and for further training",
}


def write_recipe(record: RunRecord, folder: Path) -> Path:
    """Write recipe.md and return its path."""
    lines = [f"# {record.model}: {record.done.label}", "", f"Target: {record.device}, {record.plan.path}", ""]
    lines += ["## Files", ""]
    lines += [f"- `{a.file}` ({_size(a)}): {_ROLES.get(a.role, a.role)}" for a in record.artefacts]
    lines += ["", "## Steps carried out", ""]
    lines += [f"{i}. {step.done} ({step.seconds:.1f} s)" for i, step in enumerate(record.steps, 1)] or ["None."]
    lines += ["", "## On the target", ""]
    for line in record.recipe:
        lines += ["", f"    {line[2:]}", ""] if line.startswith("$ ") else [line, ""]
    if any(a.file.endswith(".safetensors") for a in record.artefacts):
        lines += ["## Loading the pruned torch model", "", "    from advisor.execution import load_pruned", ""]
        lines += ["    module = load_pruned('RUN_DIRECTORY')", ""]
    lines += [*(f"> {note}" for note in record.notes), ""]
    path = folder / PAGE
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _size(artefact: Artefact) -> str:
    size = f"{artefact.bytes / 1e6:.2f} MB"
    return f"{size}, {artefact.precision}" if artefact.precision else size
