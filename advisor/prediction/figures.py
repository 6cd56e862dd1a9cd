"""Read the figures of `knowledge/prediction/`: checked, with the file's name in every error."""

from typing import TypeVar

from advisor.resources import data_dir, read_record
from advisor.schema import Record

R = TypeVar("R", bound=Record)


def read_figures(name: str, shape: type[R]) -> R:
    """Read `knowledge/prediction/<name>.yaml` and check it against a record."""
    return read_record(data_dir("knowledge") / "prediction" / f"{name}.yaml", shape)
