"""Everything that the pages tell, loaded once."""

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from advisor.devices import list_devices
from advisor.errors import KnowledgeError
from advisor.resources import data_dir
from advisor.rules import RuleBase, load_rules
from advisor.rules.conflicts import Conflicts, load_conflicts
from advisor.rules.phrases import Phrases, load_phrases
from advisor.schema import Device, Rule

from .reach import Reach, reaches
from .text import plain

Row = Mapping[str, str]


@dataclass(frozen=True)
class Known:
    """The rules with all that is known about them, the devices, and the sources of measurements."""

    base: RuleBase
    conflicts: Conflicts
    phrases: Phrases
    devices: tuple[Device, ...]
    agreement: Mapping[str, Mapping[str, Any]]  # by rule; empty where nothing was held against measurements
    sources: tuple[Row, ...]

    @cached_property
    def reach(self) -> Mapping[str, Reach]:
        """Where each rule can hold."""
        return reaches(self.base)

    @cached_property
    def set_aside_by(self) -> Mapping[str, tuple[str, ...]]:
        """The rules that override each rule."""
        return _collected((target, rule.id) for rule in self.base.rules for target in rule.overrides)

    @cached_property
    def same_evidence(self) -> Mapping[str, tuple[str, ...]]:
        """The rules on each piece of evidence."""
        return _collected((rule.same_evidence, rule.id) for rule in self.base.rules if rule.same_evidence)

    @cached_property
    def readers(self) -> Mapping[str, tuple[str, ...]]:
        """The rules whose condition or demand reads each fact."""
        return _collected((name, entry.rule.id) for entry in self.base for name in entry.names)

    def link(self, rule: str, up: str = "") -> str:
        """Link a rule from the root of the site, or from a folder below it with `up` '../'."""
        return f"[{rule}]({up}rules/{rule}.md)"

    def row(self, rule: Rule, up: str = "") -> tuple[str, ...]:
        """Return the cells of a rule in a table: id, title, kind, certainty, origin."""
        title = plain(rule.title) + (" (deprecated)" if rule.deprecated else "")
        return self.link(rule.id, up), title, rule.kind, rule.certainty, rule.origin


def load() -> Known:
    """Read the shipped knowledge."""
    base, evidence = load_rules(), data_dir("knowledge") / "evidence"
    return Known(
        base=base,
        conflicts=load_conflicts(base),
        phrases=load_phrases(base.vocabulary),
        devices=list_devices(),
        agreement=_agreement(evidence / "agreement.json"),
        sources=_sources(evidence / "sources.csv"),
    )


def _agreement(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """Read what measurements say of the rules; before the first `make rules-evidence` nothing does."""
    if not path.is_file():
        return {}
    try:
        rules = json.loads(path.read_text(encoding="utf-8"))["rules"]
    except (ValueError, KeyError, TypeError) as error:
        remedy = "Run make rules-evidence"
        raise KnowledgeError("not readable as agreement of rules", where=path.name, remedy=remedy) from error
    return {str(rule): dict(entry) for rule, entry in rules.items()}


def _sources(path: Path) -> tuple[Row, ...]:
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(sorted(csv.DictReader(file), key=lambda row: row["source"]))


def _collected(pairs: Iterable[tuple[str, str]]) -> Mapping[str, tuple[str, ...]]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for key, value in pairs:
        found[key].append(value)
    return {key: tuple(sorted(values)) for key, values in found.items()}
