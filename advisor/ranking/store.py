"""Recommendations on disk: JSON, written to a temporary name first, and what of their findings and facts is kept."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

import advisor.techniques  # noqa: F401 - registers the steps that stored plans name
from advisor.errors import RunError
from advisor.schema import Finding, Recommendation, Truth
from advisor.writing import write_text


def save_recommendation(recommendation: Recommendation, path: Path) -> None:
    """Store a recommendation with everything that is needed to question it later."""
    write_text(Path(path), recommendation.model_dump_json(indent=1, exclude_defaults=True) + "\n")


def load_recommendation(path: Path) -> Recommendation:
    """Read a stored recommendation; anything else is refused with the place of the first mistake."""
    path = Path(path)
    remedy = "Make a plan with: advisor recommend MODEL --target DEVICE -o plan.json"
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RunError(f"the plan {path} cannot be read", where=str(error), remedy=remedy) from error
    try:
        return Recommendation.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file as a whole"
        raise RunError(
            f"{path} is not a stored recommendation", where=f"{where}: {first['msg']}", remedy=remedy
        ) from error


def kept(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Return the findings worth storing: fired ones with their traces, unknown ones without, silent ones not at all."""
    return tuple(
        f if f.truth is Truth.TRUE else f.model_copy(update={"trace": None, "sources": ()})
        for f in findings
        if f.truth is not Truth.FALSE
    )


def restored(facts: dict[str, Any]) -> dict[str, Any]:
    """Return facts as rules want them after a trip through JSON: lists become sets."""
    return {name: frozenset(value) if isinstance(value, list | tuple) else value for name, value in facts.items()}
