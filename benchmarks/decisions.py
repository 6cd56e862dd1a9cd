"""Write docs/decisions.md from the table of decisions: `python benchmarks/decisions.py`."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from advisor.writing import write_text

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "tests" / "cases" / "decisions.yaml"
PAGE = ROOT / "docs" / "decisions.md"
TECHNIQUES = {
    "static_int8": "static int8", "dynamic_int8": "dynamic int8", "qat": "int8 with training", "half": "half precision",
    "weight_only": "integer weights alone", "prune_channels": "channel pruning",
    "prune_transformer": "pruning of heads and width", "sparsify": "sparsity", "low_rank": "low rank",
    "distil": "a distilled student", "resolution": "a smaller input", "plain": "no compression",
}  # fmt: skip
LIMITS = {
    "max_latency": "at most {} ms", "min_fps": "at least {} images per second", "max_size": "a file of at most {} MB",
    "max_flash": "at most {} MB of flash", "max_memory": "at most {} MB of memory", "max_energy": "at most {} mJ",
    "max_drop": "a loss of at most {} points",
}  # fmt: skip
NAMES = ("fp16", "int8", "ncnn", "w8a8")  # written small also where a sentence begins


def main() -> None:
    """Write the page."""
    write_text(PAGE, render(TABLE.read_text(encoding="utf-8")))
    print(PAGE.relative_to(ROOT))


def render(text: str) -> str:
    """Return the page for a table; the same table gives the same page."""
    return "\n".join(_page(text)) + "\n"


def _page(text: str) -> Iterator[str]:
    entries: list[dict[str, Any]] = yaml.safe_load(text)
    decisions = sum(len(e["models"]) * len(e["devices"]) for e in entries)
    yield "# Decisions"
    yield ""
    yield f"{len(entries)} situations with {decisions} decisions, as an expert would take them, each argued in a line."
    yield "The tests hold the advice of `advisor recommend` against them (`tests/cases/`): `make study` takes every"
    yield "decision, `make test` a part. Networks have random weights; accuracy comes from published figures."
    yield "This page is made from `tests/cases/decisions.yaml` by `python benchmarks/decisions.py`; do not edit it."
    sections = _sections(text)
    for number, entry in enumerate(entries):
        if number in sections:
            yield from ("", f"## {sections[number]}", "", "| situation | advice | why |", "|---|---|---|")
        why = _sentence(entry["why"]) + (f" *Not yet followed: {entry['not_yet']}.*" if "not_yet" in entry else "")
        yield f"| {_situation(entry)} | **{_sentence(entry['name'])}** {_advice(entry)} | {why} |"


def _sections(text: str) -> dict[int, str]:
    """Return the headings of the table's parts by the number of the entry that follows."""
    found, count = {}, 0
    for line in text.splitlines():
        if line.startswith("# ") and line.endswith("---"):
            found[count] = line.strip("# -")
        count += line.startswith("- name:")
    return found


def _situation(entry: dict[str, Any]) -> str:
    networks = ", ".join(name.rpartition(":")[2].replace("@", " at ") for name in entry["models"])
    asked = _asked(entry.get("goal", {}))
    return f"{networks} on {', '.join(entry['devices'])}" + (f"; {asked}" if asked else "")


def _asked(goal: dict[str, Any]) -> str:
    """Say what is asked."""
    parts = [text.format(f"{goal[name]:g}") for name, text in LIMITS.items() if name in goal]
    if "kind" in goal:
        parts.append(f"goal {goal['kind']}")
    if "budget" in goal:
        parts.append(f"budget {goal['budget']}")
    for name, words in (
        ("runtime", ""),
        ("unit", "on the "),
        ("batch", "batch "),
        ("threads", "threads "),
        ("power_mode", "power mode "),
    ):
        if name in goal:
            parts.append(f"{words}{goal[name]}")
    if "data" in goal:
        parts.append(", ".join(f"{count} {name}" for name, count in goal["data"].items()))
    return "; ".join(parts)


def _advice(entry: dict[str, Any]) -> str:
    """Say what is expected."""
    said = []
    if entry.get("no_winner"):
        said.append("No plan is possible")
    if entry.get("winner_plain"):
        said.append("The network stays as it is")
    for key, words in (
        ("winner_precision", "in {}"), ("winner_runtime", "through {}"), ("winner_unit", "on the {}"),
    ):  # fmt: skip
        if key in entry:
            said.append(words.format(" or ".join(entry[key])))
    for key, words in (
        ("winner_has", "with {}"), ("winner_has_one", "with {}"), ("winner_lacks", "without {}"),
        ("rejected", "ruled out: {}"), ("open", "possible: {}"), ("argued", "argued: {}"), ("order", "{}"),
        ("fires", "rules that speak: {}"), ("silent", "rules that do not: {}"), ("asks", "asked: {}"),
    ):  # fmt: skip
        if key in entry:
            joint = " or " if key == "winner_has_one" else ", "
            said.append(words.format(joint.join(_plan(text) for text in entry[key])))
    return "; ".join(said) + "."


def _plan(text: str) -> str:
    """Put a technique, a plan, or a sentence about plans into words."""
    words = [part.partition("@") for part in text.split(" ")]
    return " ".join(TECHNIQUES.get(name, name) + (f" ({path})" if path else "") for name, _, path in words)


def _sentence(text: str) -> str:
    return (text if text.startswith(NAMES) else text[0].upper() + text[1:]) + "."


if __name__ == "__main__":
    sys.exit(main())
