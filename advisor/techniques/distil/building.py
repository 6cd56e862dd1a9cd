"""Building a student by name, and again for stored weights."""

from typing import Any

from advisor.loading.architectures import Settings, build
from advisor.schema.base import Record
from advisor.techniques.students import student


class Built(Record):
    """What a student is built from; JSON-able, so that it can be stored with the weights.

    `joined`: branches that only training needs are merged, as in the network that ships.
    """

    student: str
    classes: int
    channels: int
    size: int
    joined: bool = False


def build_student(built: Built) -> Any:
    """Return the student with random weights, always the same; only names of the list of students are built."""
    entry = student(built.student)
    module = build(
        f"timm:{entry.name}",
        input_shape=(1, built.channels, built.size, built.size),
        wanted=Settings(classes=built.classes),
    )
    if built.joined:
        join(module)
    return module


def join(module: Any) -> None:
    """Merge branches that only training needs, in place."""
    from timm.utils.model import reparameterize_model

    reparameterize_model(module, inplace=True)
