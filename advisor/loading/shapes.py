"""The inputs of a network: what the user asked for, or what the network suggests."""

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from advisor.errors import ModelLoadError, nearest
from advisor.schema import ITEM_BITS, ModelInput

_MOST_ELEMENTS = 2**31  # of one input; above it the figures are a mistake (an 8K image has 1e8)


def asked_inputs(asked: Any, batch: int) -> tuple[ModelInput, ...] | None:
    """Check what the user gave: one shape, a list of shapes or inputs, or names with their shapes.

    One shape of three figures is channels, height and width of one image; everything else is taken as it is.
    """
    if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
        raise ModelLoadError(f"a batch of {batch!r} is not possible", remedy="Give a whole number from 1.")
    if asked is None:
        return None
    given = _as_list(asked)
    inputs = tuple(_input(one, least=1 if len(given) > 1 else 2) for one in given)
    if len(inputs) > 1:
        return inputs
    (only,) = inputs
    if len(only.shape) == 3:
        return (only.model_copy(update={"shape": (batch, *only.shape)}),)
    if batch not in (1, only.shape[0]):
        written = ",".join(map(str, only.shape))
        raise ModelLoadError(
            f"the input shape {written} contradicts the batch of {batch}", remedy="Leave one of the two out."
        )
    return inputs


def at_batch(inputs: tuple[ModelInput, ...], batch: int) -> tuple[ModelInput, ...]:
    """Return the inputs at another batch; those that do not begin with the present one stay as they are."""
    before = inputs[0].shape[:1]
    return tuple(
        one.model_copy(update={"shape": (batch, *one.shape[1:])}) if one.shape[:1] == before else one for one in inputs
    )


def _as_list(asked: Any) -> list[Any]:
    if isinstance(asked, ModelInput):
        return [asked]
    if isinstance(asked, Mapping):
        return [{"name": name, "shape": shape} for name, shape in asked.items()]
    if isinstance(asked, str) or not isinstance(asked, Sequence):
        raise ModelLoadError(f"{asked!r} is no input shape", remedy="Write --input 1,3,224,224 or 3,224,224.")
    nested = [isinstance(one, Sequence | Mapping | ModelInput) and not isinstance(one, str) for one in asked]
    return list(asked) if nested and all(nested) else [asked]


def _input(given: Any, least: int) -> ModelInput:
    if isinstance(given, ModelInput):
        given = given.model_dump()
    if not isinstance(given, Mapping):
        given = {"shape": given}
    dtype = str(given.get("dtype") or "").removeprefix("torch.")
    if dtype and dtype not in ITEM_BITS:
        raise ModelLoadError(
            f"unknown dtype {dtype!r} of an input", remedy=nearest(dtype, ITEM_BITS) or f"Use {', '.join(ITEM_BITS)}."
        )
    return ModelInput(name=str(given.get("name") or ""), shape=_figures(given.get("shape"), least), dtype=dtype)


def _figures(shape: Any, least: int) -> tuple[int, ...]:
    figures = tuple(shape) if isinstance(shape, Sequence) and not isinstance(shape, str) else (shape,)
    written = ",".join(map(str, figures))
    if not all(isinstance(f, int) and not isinstance(f, bool) for f in figures) or not least <= len(figures) <= 5:
        raise ModelLoadError(f"{written!r} is no input shape", remedy="Write --input 1,3,224,224 or 3,224,224.")
    if any(f < 1 for f in figures):
        raise ModelLoadError(f"the input shape {written} has a side below 1", remedy="Every figure must be 1 or more.")
    return checked_size(figures)


def checked_size(shape: tuple[int, ...], where: str = "") -> tuple[int, ...]:
    """Refuse an input that no machine could hold."""
    if prod(shape) > _MOST_ELEMENTS:
        raise ModelLoadError(
            f"the input shape {'x'.join(map(str, shape))} is too large",
            where=where,
            remedy="Give the shape of one real input.",
        )
    return shape
