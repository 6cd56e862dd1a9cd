"""What is said of a rule file that cannot be taken as it is: what, where to the line, and how to mend it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from advisor.errors import KnowledgeError, nearest
from advisor.schema import Rule

from .yaml_reader import line_of

if TYPE_CHECKING:
    from .load import Compiled

_BY_KIND = {"require": ("demand",), "procedure": ("step",), "estimate": ("metric",)}
_OWNER = {field: kind for kind, fields in _BY_KIND.items() for field in fields}


def place_of(path: Path) -> str:
    """Return a file with its folder, short enough for a message."""
    return f"{path.parent.name}/{path.name}"


def rule_like(name: str, known: Iterable[str]) -> str:
    """Say which rule may be meant, or where all are listed."""
    return nearest(name, known) or "'advisor rules list' shows all"


def duplicate(entry: "Compiled", first: "Compiled") -> KnowledgeError:
    """Say that an id is taken; a user's rule may set a shipped one aside, but not replace it."""
    if entry.root == first.root:
        remedy = "Ids are never reused; take the next free number, or name the old rule under overrides"
    else:
        remedy = f"Take an id that begins with X, Y or Z, and name {entry.rule.id} under overrides to set it aside"
    return KnowledgeError(
        f"the rule {entry.rule.id} exists twice", where=f"{first.place} and {entry.place}", remedy=remedy
    )


def lost(entry: "Compiled", target: str, known: Iterable[str]) -> KnowledgeError:
    """Say that a rule sets aside one that does not exist."""
    return KnowledgeError(
        f"{entry.rule.id} overrides {target}, which is no rule",
        where=f"{entry.place}:{line_of(entry.path, 'overrides')}",
        remedy=rule_like(target, known),
    )


def invalid(error: ValidationError, path: Path, where: str, record: Mapping[str, Any]) -> KnowledgeError:
    """Say which field of a record is wrong, and on which line."""
    first = error.errors()[0]
    field = ".".join(str(part) for part in first["loc"]) or "the record"
    top = str(first["loc"][0]) if first["loc"] else ""
    hint = nearest(top, Rule.model_fields) if first["type"] == "extra_forbidden" else ""
    line = line_of(path, top) if top in record else 1
    return KnowledgeError(f"{field}: {first['msg']}", where=f"{where}:{line}", remedy=hint)


def check_kind(rule: Rule, path: Path, where: str) -> None:
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
