"""Turning one number of a step: the settings that a search for the strongest one that holds goes through."""

from typing import Any, TypeVar

from advisor.schema import Step

S = TypeVar("S", bound=Step)


def turned(step: S, field: str, values: tuple[Any, ...], *, strong: str) -> tuple[S, ...]:
    """Return the step with each of the values and with its own, from weak to strong; `strong`: "high" or "low".

    What earlier weights decided (widths, ranks) belongs to one value and is dropped with the others.
    """
    known = sorted({*values, getattr(step, field)}, reverse=strong == "low")
    fields = type(step).model_fields
    resolved: dict[str, Any] = {name: fields[name].default for name in ("widths", "ranks") if name in fields}
    return tuple(
        step if value == getattr(step, field) else step.model_copy(update={field: value, **resolved}) for value in known
    )
