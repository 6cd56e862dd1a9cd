"""Read the figures of `knowledge/prediction/`: checked, with the file's name in every error."""

from typing import TypeVar

import yaml
from pydantic import ValidationError

from advisor.errors import KnowledgeError
from advisor.resources import data_dir, read_yaml
from advisor.schema import Record

R = TypeVar("R", bound=Record)


def read_figures(name: str, shape: type[R]) -> R:
    """Read `knowledge/prediction/<name>.yaml` and check it against a record."""
    path = data_dir("knowledge") / "prediction" / f"{name}.yaml"
    try:
        content = read_yaml(path)
        return shape.model_validate(content)
    except (OSError, yaml.YAMLError, ValidationError) as error:
        raise KnowledgeError(
            f"the figures {name!r} cannot be used: {error}", where=f"knowledge/prediction/{path.name}",
            remedy="Restore the file from the release or correct the field named above.",
        ) from error  # fmt: skip
