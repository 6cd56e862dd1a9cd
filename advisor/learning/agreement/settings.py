"""How rules are held against the evidence: `knowledge/evidence/agreement.yaml` as records."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import Field, ValidationError

from advisor.errors import KnowledgeError
from advisor.learning.accuracies import Compared
from advisor.prediction.pooled.evidence import evidence_path
from advisor.resources import first_mistake
from advisor.rules.yaml_reader import read_mapping
from advisor.schema.base import Record


class Judged(Record):
    """When a hit rate counts and what counts as no difference."""

    pairs: int
    hit_rate: float
    same_speed: float
    same_accuracy: float


class Current(Record):
    """From when on a runtime has the kernels of today on an instruction set."""

    runtime: str
    isa: str
    since: str
    why: str


class Convention(Record):
    """What rows of a source rest on, and which of them are kept."""

    only: dict[str, tuple[str, ...]] = {}
    facts: dict[str, Any] = {}
    skip: str = ""
    why: str = ""
    seen: bool = True

    def keeps(self, row: Compared) -> bool:
        """Whether a row's settings are among those kept; a setting that the row does not name excludes nothing."""
        settings = row.settings
        return not self.skip and all(settings.get(name, kept[0]) in kept for name, kept in self.only.items())


class Named(Record):
    """What the name of a network tells."""

    name: str
    facts: dict[str, Any]
    why: str


class Settings(Record):
    """Everything of the file."""

    judged: Judged
    current: tuple[Current, ...]
    metrics: tuple[str, ...] = Field(min_length=1)
    sources: dict[str, tuple[Convention, ...]]
    networks: tuple[Named, ...]
    own: dict[str, Any]  # facts of the machine of the own measurements

    def convention(self, row: Compared) -> Convention | None:
        """Return what a row rests on, or None where its source keeps it out."""
        rules = self.sources.get(row.source)
        return Convention() if rules is None else next((rule for rule in rules if rule.keeps(row)), None)

    def named(self, network: str) -> Mapping[str, Any]:
        """Return the facts that a network's name tells."""
        return next((entry.facts for entry in self.networks if re.search(entry.name, network)), {})

    def outdated(self, runtime: str, isa: frozenset[str], published: str) -> bool:
        """Whether a row was measured with kernels that were rewritten since."""
        return any(c.runtime == runtime and c.isa in isa and published < c.since for c in self.current)


@cache
def load_settings() -> Settings:
    """Read the file."""
    path = evidence_path().with_name("agreement.yaml")
    try:
        return Settings.model_validate(_plain(read_mapping(path)))
    except ValidationError as error:
        raise KnowledgeError(first_mistake(error), where=path.name) from error


def _plain(value: Any) -> Any:
    """Return days as the texts that the evidence holds, and lists as tuples, which the engine can remember."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(_plain(item) for item in value)
    return value.isoformat() if hasattr(value, "isoformat") else value
