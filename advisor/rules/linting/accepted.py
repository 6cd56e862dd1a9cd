"""Findings that may stay, each with its reason: `knowledge/lint.yaml`, or `lint.yaml` in a folder of a user's rules.

An entry names a code, what it is about and why. `about` lists rules, or techniques and classes of devices for a gap;
the entry covers the findings of its code in which nothing else takes part.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from advisor.errors import KnowledgeError, nearest

from ..load import RuleBase
from ..problems import Problem
from ..yaml_reader import line_of, read_mapping
from .table import CODES

_FIELDS = ("about", "code", "why")


@dataclass(frozen=True)
class Accepted:
    """One accepted finding, or several of one kind."""

    name: str
    code: str
    about: frozenset[str]
    why: str
    where: str

    def covers(self, problem: Problem) -> bool:
        """Whether the finding is of this code and about nothing else."""
        part = {problem.rule, *problem.others} - {""}
        return problem.code == self.code and bool(part) and part <= self.about


def accepted_in(base: RuleBase) -> tuple[Accepted, ...]:
    """Read what is accepted: in a folder of added rules, and beside that of the shipped ones."""
    added = {Path(one.folder) for one in base.added}
    files = sorted({(root if root in added else root.parent) / "lint.yaml" for root in (entry.root for entry in base)})
    return tuple(entry for path in files if path.is_file() for entry in read_accepted(path))


def read_accepted(path: Path) -> Iterator[Accepted]:
    """Read one file; a mistake is an error with its line."""
    for name, record in read_mapping(path).items():
        where = f"{path.name}:{line_of(path, name)}"
        if not isinstance(record, dict) or tuple(sorted(record)) != _FIELDS:
            raise KnowledgeError(f"the entry {name!r} is not code, about and why", where=where)
        if record["code"] not in CODES:
            raise KnowledgeError(
                f"there is no check {record['code']!r}", where=where, remedy=nearest(str(record["code"]), CODES)
            )
        if not _texts(record["about"]) or not str(record["why"]).strip():
            raise KnowledgeError(f"the entry {name!r} lacks a list of names or a reason", where=where)
        yield Accepted(name, record["code"], frozenset(record["about"]), str(record["why"]), where)


def accept(problems: Iterable[Problem], entries: tuple[Accepted, ...]) -> Iterator[Problem]:
    """Turn accepted findings into notices with their reason, and report entries that accept nothing."""
    used = set()
    for problem in problems:
        entry = next((entry for entry in entries if entry.covers(problem)), None)
        if entry is None:
            yield problem
        else:
            used.add(entry)
            yield replace(problem, severity="notice", accepted=entry.why)
    for entry in entries:
        if entry not in used:
            message = f"{entry.name!r} accepts nothing that is found"
            yield Problem(CODES["accepted"].severity, "accepted", "", message, entry.where)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, str) for item in value)
