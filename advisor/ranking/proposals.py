"""What a technique needs before plans with it are made, read from `knowledge/proposals.yaml`."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import yaml
from pydantic import ValidationError

from advisor.errors import KnowledgeError
from advisor.resources import data_dir, read_yaml
from advisor.rules.parse import parse
from advisor.rules.traces import shown
from advisor.rules.vocabulary import load_vocabulary
from advisor.schema.base import Record


class Need(Record):
    """One thing that must be there, in words and, where the facts tell, as a condition."""

    needs: str
    when: str = ""


class Proposals(Record):
    """The whole file."""

    any: tuple[Need, ...]
    techniques: dict[str, tuple[Need, ...]]


@cache
def load_proposals() -> Proposals:
    """Read and check the shipped file."""
    path = data_dir("knowledge") / "proposals.yaml"
    try:
        return Proposals.model_validate(read_yaml(path))
    except (ValidationError, yaml.YAMLError) as error:
        raise KnowledgeError("the needs of proposals are malformed", where=f"{path.name}: {error}") from error


def lacking(technique: str, facts: Mapping[str, Any]) -> tuple[str, ...]:
    """Say what the facts show to be missing; else everything that is needed and that facts do not tell."""
    known = load_proposals()
    needs = (*known.any, *known.techniques.get(technique, ()))
    failed = tuple(_failed(needs, facts))
    return failed or tuple(f"it needs {need.needs}" for need in needs if not need.when)


def _failed(needs: tuple[Need, ...], facts: Mapping[str, Any]) -> Iterator[str]:
    vocabulary = load_vocabulary()
    for need in needs:
        if need.when and parse(need.when, vocabulary, "when").run(facts) is False:
            yield f"it needs {need.needs}: {shown(need.when, facts, vocabulary)} does not hold"
