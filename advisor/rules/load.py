"""The rule base: every rule file validated, compiled and numbered; nothing half-read is ever returned."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from advisor.errors import KnowledgeError, nearest
from advisor.resources import data_dir
from advisor.schema import Finding, Rule, Truth

from .expressions import Expr
from .parse import parse
from .vocabulary import Vocabulary, load_vocabulary
from .wording import Sentence
from .yaml_reader import line_of, read_mapping

_BY_KIND = {"require": ("demand",), "procedure": ("step",), "estimate": ("metric",)}
_OWNER = {field: kind for kind, fields in _BY_KIND.items() for field in fields}


@dataclass(frozen=True)
class Compiled:
    """A rule ready to be asked."""

    rule: Rule
    path: Path
    when: Expr
    demand: Expr | None
    reason: Sentence

    @property
    def names(self) -> tuple[str, ...]:
        """Facts that decide the rule."""
        return tuple(dict.fromkeys((*self.when.names, *(self.demand.names if self.demand else ()))))

    @cached_property
    def silent(self) -> Finding:
        """What is reported when the rule does not apply: the same for all facts, so it is made once.

        Its reason would be untrue then; the title stands in for it.
        """
        rule = self.rule
        return Finding(
            rule=rule.id,
            kind=rule.kind,
            title=rule.title,
            origin=rule.origin,
            certainty=rule.certainty,
            truth=Truth.FALSE,
            reason=f"Does not apply: {rule.title}.",
            sources=rule.sources,
            same_evidence=rule.same_evidence,
        )


@dataclass(frozen=True)
class RuleBase:
    """All rules, in order of their ids. `digest` changes with any rule or fact, `version` by hand."""

    compiled: Mapping[str, Compiled]
    vocabulary: Vocabulary
    version: str
    digest: str

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules as records."""
        return tuple(entry.rule for entry in self.compiled.values())

    def __iter__(self) -> Iterator[Compiled]:
        return iter(self.compiled.values())

    def __len__(self) -> int:
        return len(self.compiled)

    def get(self, rule: str) -> Compiled:
        """Return the rule of this id."""
        if rule not in self.compiled:
            hint = nearest(rule, self.compiled) or "'advisor rules list' shows all"
            raise KnowledgeError(f"there is no rule {rule!r}", remedy=hint)
        return self.compiled[rule]


def load_rules(*extra: Path, root: Path | None = None, vocabulary: Vocabulary | None = None) -> RuleBase:
    """Read the shipped rules (or those of `root`) and those of further folders; the first mistake is an error."""
    base, problems = collect(extra, root=root, vocabulary=vocabulary)
    if problems:
        raise problems[0]
    return base


def collect(
    extra: Iterable[Path] = (), *, root: Path | None = None, vocabulary: Vocabulary | None = None
) -> tuple[RuleBase, tuple[KnowledgeError, ...]]:
    """Read everything that can be read, together with every mistake found on the way."""
    facts = vocabulary or load_vocabulary()
    shipped = root or data_dir("knowledge") / "rules"
    found: dict[str, Compiled] = {}
    problems: list[KnowledgeError] = []
    digest = hashlib.sha256(repr(sorted(facts.facts.items())).encode())
    for folder in (shipped, *extra):
        if not folder.is_dir():
            problems.append(KnowledgeError(f"there is no folder {folder}", remedy="Name a folder with rule files"))
        for path in sorted(folder.rglob("*.yaml")):
            try:
                entry = compile_rule(path, facts)
                if entry.rule.id in found:
                    raise _duplicate(entry, found[entry.rule.id])
                found[entry.rule.id] = entry
                digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
            except KnowledgeError as error:
                problems.append(error)
    version_file = shipped.parent / "VERSION"
    version = version_file.read_text().strip() if version_file.is_file() else "unversioned"
    return RuleBase(dict(sorted(found.items())), facts, version, digest.hexdigest()[:12]), tuple(problems)


def compile_rule(path: Path, vocabulary: Vocabulary) -> Compiled:
    """Read, validate and compile one rule file."""
    record = read_mapping(path)
    where = f"{path.parent.name}/{path.name}"
    try:
        rule = Rule.model_validate(record)
    except ValidationError as error:
        raise _invalid(error, path, where, record) from error
    _check_kind(rule, path, where)

    try:
        return Compiled(
            rule=rule,
            path=path,
            when=parse(rule.when, vocabulary, "when"),
            demand=parse(rule.demand, vocabulary, "demand") if rule.demand else None,
            reason=Sentence(rule.reason, vocabulary, "reason"),
        )
    except KnowledgeError as error:
        line = line_of(path, error.where.split(",")[0])
        raise KnowledgeError(error.what, where=f"{where}:{line}, {error.where}", remedy=error.remedy) from error


def _duplicate(entry: Compiled, first: Compiled) -> KnowledgeError:
    return KnowledgeError(
        f"the rule {entry.rule.id} exists twice",
        where=f"{first.path.parent.name}/{first.path.name} and {entry.path.parent.name}/{entry.path.name}",
        remedy="Ids are never reused; take the next free number, or name the old rule under overrides",
    )


def _invalid(error: ValidationError, path: Path, where: str, record: Mapping[str, Any]) -> KnowledgeError:
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"]) or "the record"
    top = str(first["loc"][0]) if first["loc"] else ""
    hint = nearest(top, Rule.model_fields) if first["type"] == "extra_forbidden" else ""
    line = line_of(path, top) if top in record else 1
    return KnowledgeError(f"{field}: {first['msg']}", where=f"{where}:{line}", remedy=hint)


def _check_kind(rule: Rule, path: Path, where: str) -> None:
    """Refuse a rule that lacks the field its kind lives by, or carries one that belongs to another kind."""
    for field in _BY_KIND.get(rule.kind, ()):
        if not getattr(rule, field):
            raise KnowledgeError(f"{rule.kind} without {field}", where=f"{where}:{line_of(path, 'kind')}")
    for field, kind in _OWNER.items():
        if getattr(rule, field) and rule.kind != kind:
            raise KnowledgeError(
                f"{field} belongs to {kind}, not to {rule.kind}", where=f"{where}:{line_of(path, field)}"
            )
    if rule.low is not None and rule.high is not None and rule.low > rule.high:
        raise KnowledgeError(f"low {rule.low} is above high {rule.high}", where=f"{where}:{line_of(path, 'low')}")
