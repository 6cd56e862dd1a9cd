"""Running a changed network once, so that one whose forward pass relies on what was changed is refused by name."""

from typing import Any

from advisor.errors import NotApplicable


def rehearse(module: Any, input_shape: tuple[int, ...], failure: str, *, where: str = "", remedy: str) -> None:
    """Refuse with `failure: reason` where the network does not run on zeros of this shape."""
    import torch

    try:
        with torch.inference_mode():
            module(torch.zeros(input_shape))
    except (RuntimeError, ValueError, TypeError, AttributeError, AssertionError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise NotApplicable(f"{failure}: {reason}", where=where, remedy=remedy) from error
