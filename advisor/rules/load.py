"""The rule base: every rule file validated, compiled and numbered; nothing half-read is ever returned."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

from pydantic import ValidationError

from advisor.errors import KnowledgeError
from advisor.resources import data_dir
from advisor.schema import AddedRules, Finding, Rule, Truth

from .expressions import Expr
from .memory import Memory
from .mistakes import check_kind, duplicate, invalid, lost, place_of, rule_like
from .parse import parse
from .relevant import Relevant
from .vocabulary import Vocabulary, load_vocabulary
from .wording import Sentence
from .yaml_reader import line_of, read_mapping

_OTHER_FILES = ("cases", "lint.yaml")  # a folder of rules may hold whole cases and acknowledged findings, too


@dataclass(frozen=True)
class Compiled:
    """A rule ready to be asked."""

    rule: Rule
    path: Path
    when: Expr
    demand: Expr | None
    reason: Sentence
    root: Path  # the folder of rules that it was found in

    @property
    def place(self) -> str:
        """Where it stands, short enough for a message."""
        return place_of(self.path)

    @property
    def names(self) -> tuple[str, ...]:
        """Facts that decide the rule."""
        return tuple(dict.fromkeys((*self.when.names, *(self.demand.names if self.demand else ()))))

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """Facts on which its finding depends: those that decide it and those that its reason shows."""
        return tuple(dict.fromkeys((*self.names, *self.reason.names)))

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
    """All rules, in order of their ids. `digest` changes with any rule or fact, `version` by hand.

    `added` says which rules are not shipped, by folder.
    """

    compiled: Mapping[str, Compiled]
    vocabulary: Vocabulary
    version: str
    digest: str
    added: tuple[AddedRules, ...] = ()

    @cached_property
    def relevant(self) -> Mapping[str, Relevant]:
        """The rules that are asked, by scope."""
        asked = [entry for entry in self if not entry.rule.deprecated]
        return {
            scope: Relevant(entry for entry in asked if entry.rule.scope == scope) for scope in ("candidate", "case")
        }

    @cached_property
    def memory(self) -> Memory:
        """The findings made so far."""
        return Memory()

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules as records."""
        return tuple(entry.rule for entry in self.compiled.values())

    def __iter__(self) -> Iterator[Compiled]:
        return iter(self.compiled.values())

    def __len__(self) -> int:
        return len(self.compiled)

    def of(self, entries: Iterable[Compiled]) -> "RuleBase":
        """Return a base of these rules alone, which remembers nothing."""
        return replace(self, compiled={entry.rule.id: entry for entry in entries})

    def get(self, rule: str) -> Compiled:
        """Return the rule of this id."""
        if rule not in self.compiled:
            raise KnowledgeError(f"there is no rule {rule!r}", remedy=rule_like(rule, self.compiled))
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
    added = []
    for folder in (shipped, *extra):
        own = hashlib.sha256()
        for entry in _read_folder(folder, facts, found, problems):
            found[entry.rule.id] = entry
            content = entry.path.name.encode() + b"\0" + entry.path.read_bytes() + b"\0"
            digest.update(content)
            own.update(content)
        if folder != shipped:
            ids = tuple(sorted(entry.rule.id for entry in found.values() if entry.root == folder))
            added.append(AddedRules(folder=str(folder), rules=ids, digest=own.hexdigest()[:12]))
    problems += [
        lost(entry, target, found) for entry in found.values() for target in entry.rule.overrides if target not in found
    ]
    version_file = shipped.parent / "VERSION"
    version = version_file.read_text().strip() if version_file.is_file() else "unversioned"
    base = RuleBase(dict(sorted(found.items())), facts, version, digest.hexdigest()[:12], tuple(added))
    return base, tuple(problems)


def rule_files(folder: Path) -> tuple[Path, ...]:
    """Return the rule files of a folder, in order; its cases and acknowledged findings are none."""
    return tuple(
        path for path in sorted(folder.rglob("*.yaml")) if path.relative_to(folder).parts[0] not in _OTHER_FILES
    )


def _read_folder(
    folder: Path, facts: Vocabulary, found: Mapping[str, Compiled], problems: list[KnowledgeError]
) -> Iterator[Compiled]:
    if not folder.is_dir():
        problems.append(KnowledgeError(f"there is no folder {folder}", remedy="Name a folder with rule files"))
        return
    problems += [
        KnowledgeError("the file would not be read", where=place_of(path), remedy="Rule files end in .yaml")
        for path in sorted(folder.rglob("*.yml"))
    ]
    for path in rule_files(folder):
        try:
            entry = _compiled(path, facts, folder)
            if entry.rule.id in found:
                raise duplicate(entry, found[entry.rule.id])
            yield entry
        except KnowledgeError as error:
            problems.append(error)


def _compiled(path: Path, vocabulary: Vocabulary, root: Path) -> Compiled:
    """Compile a rule, or take the shipped one that was compiled before and has not changed since."""
    if vocabulary is not load_vocabulary() or root != data_dir("knowledge") / "rules":
        return compile_rule(path, vocabulary, root)
    state = path.stat()
    return _shipped(path, root, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=4096)
def _shipped(path: Path, root: Path, changed: int, size: int) -> Compiled:
    return compile_rule(path, load_vocabulary(), root)


def compile_rule(path: Path, vocabulary: Vocabulary, root: Path) -> Compiled:
    """Read, validate and compile one rule file of the folder `root`."""
    record = read_mapping(path)
    where = place_of(path)
    try:
        rule = Rule.model_validate(record)
    except ValidationError as error:
        raise invalid(error, path, where, record) from error
    check_kind(rule, path, where)

    try:
        return Compiled(
            rule=rule,
            path=path,
            when=parse(rule.when, vocabulary, "when"),
            demand=parse(rule.demand, vocabulary, "demand") if rule.demand else None,
            reason=Sentence(rule.reason, vocabulary, "reason"),
            root=root,
        )
    except KnowledgeError as error:
        line = line_of(path, error.where.split(",")[0])
        raise KnowledgeError(error.what, where=f"{where}:{line}, {error.where}", remedy=error.remedy) from error
