"""What the byte code of a pickle can put on its stack, as far as following it needs to tell things apart."""

from dataclasses import dataclass
from typing import Any


class Refused(ValueError):
    """The byte code does what no honest checkpoint does, or is damaged; the message says what."""


@dataclass(frozen=True)
class Global:
    """A class or function by its full name."""

    module: str
    attribute: str

    @property
    def name(self) -> str:
        """The full name, as torch's allow-list spells it."""
        return f"{self.module}.{self.attribute}"


@dataclass(frozen=True)
class Stored:
    """The data of a tensor, outside the byte code; `whole` is the length of what `count` items are a view of."""

    key: str
    count: int
    item_bytes: int
    whole: int

    @property
    def bytes(self) -> int:
        """How many bytes the byte code counts on."""
        return self.whole * self.item_bytes


@dataclass(frozen=True)
class Made:
    """What a call of `name` returned, or a new object of this class; nothing else is known of it."""

    name: str


@dataclass(eq=False)
class Box:
    """A list, set or dict under construction; of a dict only the keys are kept, and the value of 'num_layers'."""

    kind: str
    items: list[Any]
    layers: Any = 1


TENSOR = Made("tensor")
NUMPY_TYPE = Made("numpy.dtype")


def is_constant(value: Any) -> bool:
    """Tell whether a value is plain and can never change."""
    return value is None or isinstance(value, str | bytes | int | float)
