"""Where sources disagree, and how the rules settle it, read from `knowledge/conflicts.yaml`."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError

from advisor.errors import KnowledgeError
from advisor.resources import data_dir, first_mistake
from advisor.schema.base import Record

from .evaluate import Deed, deed_of, evaluate
from .load import RuleBase
from .mistakes import rule_like
from .yaml_reader import read_mapping


class Side(Record):
    """What some sources say, and the rules that say it."""

    says: str
    origin: str = Field(pattern=r"^(S1|S2|S3|X)(\+(S1|S2|S3|X))*$")
    rules: tuple[str, ...]


class ConflictCase(Record):
    """Facts on which the resolution shows, with what each rule does there."""

    about: str
    facts: dict[str, Any]
    then: dict[str, Deed] = Field(min_length=1)


class Conflict(Record):
    """A question that sources answer differently, what an expert does, and how the rules see to it."""

    id: str = Field(pattern=r"^C-\d{2}$")
    question: str
    sides: tuple[Side, ...] = Field(min_length=2)
    resolution: str
    enforced: str
    cases: tuple[ConflictCase, ...] = Field(min_length=1)

    @property
    def rules(self) -> tuple[str, ...]:
        """Every rule that takes part, those of the sides first."""
        sides = (rule for side in self.sides for rule in side.rules)
        return tuple(dict.fromkeys((*sides, *(rule for case in self.cases for rule in case.then))))


class Rank(Record):
    """A source of knowledge in the general order, and the mechanism that gives it its place."""

    what: str
    how: str


class Conflicts(Record):
    """All conflicts, and what goes before what."""

    conflicts: tuple[Conflict, ...]
    precedence: tuple[Rank, ...]
    ties: tuple[str, ...]
    exception: str

    def of(self, rule: str) -> tuple[Conflict, ...]:
        """Return the conflicts that a rule takes part in."""
        return tuple(conflict for conflict in self.conflicts if rule in conflict.rules)


def load_conflicts(base: RuleBase, path: Path | None = None) -> Conflicts:
    """Read the conflicts; a rule that the base does not hold, or a fact of the wrong kind, is an error."""
    file = path or data_dir("knowledge") / "conflicts.yaml"
    record = read_mapping(file)
    named = record.get("conflicts")
    if not isinstance(named, dict) or not all(isinstance(entry, dict) for entry in named.values()):
        raise KnowledgeError("conflicts is not a mapping of ids to entries", where=file.name)
    try:
        found = Conflicts.model_validate(record | {"conflicts": [{"id": id_, **one} for id_, one in named.items()]})
    except ValidationError as error:
        raise KnowledgeError(first_mistake(error), where=file.name) from error
    for conflict in found.conflicts:
        _check(conflict, base, file.name)
    return found


def deeds(base: RuleBase, facts: Mapping[str, Any]) -> dict[str, Deed]:
    """Tell what every rule does on these facts."""
    findings = (*evaluate(base, facts, "candidate"), *evaluate(base, facts, "case"))
    return {finding.rule: deed_of(finding) for finding in findings}


def broken_cases(base: RuleBase, conflict: Conflict) -> Iterator[str]:
    """Describe every rule that does something else than a case of the conflict says."""
    for case in conflict.cases:
        done = deeds(base, case.facts)
        for rule, wanted in case.then.items():
            if done.get(rule) != wanted:
                yield f"{conflict.id}, {case.about}: {rule} is {done.get(rule, 'deprecated')!r}, not {wanted!r}"


def _check(conflict: Conflict, base: RuleBase, file: str) -> None:
    where = f"{file}, {conflict.id}"
    for rule in conflict.rules:
        if rule not in base.compiled:
            raise KnowledgeError(f"there is no rule {rule!r}", where=where, remedy=rule_like(rule, base.compiled))
    for case in conflict.cases:
        if wrong := base.vocabulary.complaints(case.facts):
            raise KnowledgeError(wrong[0], where=f"{where}, {case.about}")
