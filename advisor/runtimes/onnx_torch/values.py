"""What operators are handed: tensors, numpy arrays where a constant steers a shape, None where an input is left out."""

from typing import Any

import numpy as np
import torch


def ints(value: Any) -> list[int]:
    """Return a constant as whole numbers; one that depends on the image raises ValueError."""
    if isinstance(value, torch.Tensor):
        raise ValueError("a shape depends on the image")
    return [int(one) for one in np.asarray(value).reshape(-1)]


def tensor(value: Any, like: torch.Tensor | None = None) -> torch.Tensor:
    """Return a constant as a tensor, of the type of another if one is given."""
    if isinstance(value, torch.Tensor):
        return value
    made = torch.from_numpy(np.array(value))
    return made if like is None else made.to(like.dtype)


def scalar(value: Any, default: float) -> float:
    """Return a constant number, or a default where it is left out."""
    return default if value is None else float(np.reshape(value, -1)[0])


def known(values: list[Any]) -> bool:
    """Whether all inputs are constants that steer shapes."""
    return all(value is None or isinstance(value, np.ndarray | np.generic) for value in values)


def text(value: Any, default: str) -> str:
    """Return an attribute of characters."""
    return default if value is None else value.decode() if isinstance(value, bytes) else str(value)
