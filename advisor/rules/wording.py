"""Fact values and reasons in words."""

import re
from collections.abc import Mapping
from typing import Any

from advisor.errors import KnowledgeError, nearest
from advisor.units import si, three

from .vocabulary import FactSpec

UNKNOWN = "unknown"
_PLACE = re.compile(r"\{([^{}]*)\}")
_FORMATS = ("", "%")


def show(value: Any, unit: str = "") -> str:
    """Write a value: numbers to three digits, bytes with their unit, sets sorted, None as 'unknown'."""
    if value is None:
        return UNKNOWN
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return si(float(value), "B") if unit == "bytes" else _number(float(value))
    if isinstance(value, str):
        return value or "''"
    return ", ".join(sorted(str(item) for item in value)) or "none"


def _number(value: float) -> str:
    if value != value or abs(value) >= 10_000:  # noqa: PLR0124 - NaN differs from itself
        return si(value)
    if value == int(value):
        return str(int(value))
    return three(value) if abs(value) >= 100 else f"{value:.3g}"


class Sentence:
    """A reason with places for facts: `{model.dw_mac_share}`, or `{model.dw_mac_share:%}` for a share in percent."""

    def __init__(self, template: str, vocabulary: Mapping[str, FactSpec], where: str = "") -> None:
        """Check every place against the vocabulary."""
        pieces = _PLACE.split(template)
        self._fixed = pieces[::2]
        self._places = [_place(text, vocabulary, where) for text in pieces[1::2]]
        if any("{" in piece or "}" in piece for piece in self._fixed):
            raise KnowledgeError("a brace is not closed", where=where, remedy="Write {fact.name}")

    @property
    def names(self) -> tuple[str, ...]:
        """Facts that the sentence shows."""
        return tuple(dict.fromkeys(name for name, _, _ in self._places))

    def fill(self, facts: Mapping[str, Any]) -> str:
        """Put the values in; a missing fact reads 'unknown'."""
        if not self._places:
            return self._fixed[0]
        words = [self._fixed[0]]
        for (name, unit, form), after in zip(self._places, self._fixed[1:], strict=True):
            words += (_percent(facts.get(name)) if form else show(facts.get(name), unit), after)
        return "".join(words)


def _percent(value: Any) -> str:
    return UNKNOWN if value is None else f"{_number(round(100 * float(value), 1))} %"


def _place(text: str, vocabulary: Mapping[str, FactSpec], where: str) -> tuple[str, str, str]:
    name, _, form = text.partition(":")
    if name not in vocabulary:
        raise KnowledgeError(f"unknown fact {name!r} in braces", where=where, remedy=nearest(name, vocabulary))
    if form not in _FORMATS or (form and vocabulary[name].type != "number"):
        raise KnowledgeError(f"format {form!r} does not fit {name}", where=where, remedy="Only ':%' for numbers")
    return name, vocabulary[name].unit, form
