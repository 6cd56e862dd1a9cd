"""Every check of the rule base by its code: how grave a finding is, what it means, and what mends it."""

from dataclasses import dataclass

from advisor.errors import KnowledgeError, nearest

from ..load import Compiled
from ..problems import Problem, Severity


@dataclass(frozen=True)
class Code:
    """One kind of finding."""

    code: str
    severity: Severity
    meaning: str
    remedy: str


_TABLE: tuple[tuple[str, Severity, str, str], ...] = (
    ("load", "error", "a file cannot be read as a rule", "mend the field that the message names"),
    ("file-name", "error", "the file is not called by its rule's id", "call it ID-a-few-words.yaml"),
    ("group", "error", "the folder is not called by the rule's group", "move the file or change the group"),
    ("prefix", "error", "one prefix of ids stands for two groups", "take a prefix that is not in use"),
    ("reserved", "error", "a shipped rule takes an id that is kept for users", "use a prefix that begins with A to W"),
    ("overrides", "error", "rules override one another in a circle, or rules that are asked elsewhere", "drop one"),
    ("unreachable", "error", "no legal facts make a condition or a demand true", "mend the condition"),
    ("range", "error", "a comparison is decided by the legal range of its fact", "mind the unit: shares end at 1"),
    ("always", "warning", "no legal facts make a condition false", "name what it depends on"),
    ("scope", "error", "a rule that is asked once per case reads facts of a plan", "make its scope candidate"),
    ("metric", "error", "an estimate speaks of a metric that nothing predicts", "use a name from the message"),
    ("reference", "warning", "a name of a device, runtime, core, rule or file leads nowhere", "correct the name"),
    ("duplicate", "error", "two rules have the same condition and consequence", "drop one"),
    ("subsumed", "error", "a rule holds only where another of the same consequence holds", "drop it or override"),
    ("contradiction", "error", "a rule speaks for plans that another rules out or advises against", "override one"),
    ("deadlock", "error", "no plan can meet two demands that hold together", "override one, or narrow a condition"),
    ("disagree", "warning", "two bounds of one metric exclude each other where both hold", "override or narrow one"),
    ("overlap", "warning", "advice for and against the same settings can meet", "override one, or accept it"),
    ("gap", "warning", "no rule that looks at the device judges a technique on a class", "add one, or accept it"),
    ("recalled", "warning", "a figure is shown that nobody read at its source", "open the source, or drop the figure"),
    ("survey", "warning", "a text names the survey, but its origin is another", "correct the origin or the text"),
    ("source", "error", "a source has no reference", "say where it stands"),
    ("rationale", "warning", "a rule does not say why it is believed and what it prevents", "fill why_sure and guards"),
    ("case-fires", "error", "a rule does not fire on its own firing case", "mend the case or the condition"),
    ("case-silent", "error", "a rule is not silent on its own silent case", "mend the case or the condition"),
    ("accepted", "warning", "a finding is accepted that is not found any more", "drop the entry"),
    ("catalogue", "warning", "docs/rules.md is older than the rules", "run python -m advisor.rules.catalogue"),
)  # fmt: skip
CODES: dict[str, Code] = {row[0]: Code(*row) for row in _TABLE}


def code_of(name: str) -> Code:
    """Return the check of this code."""
    if name not in CODES:
        raise KnowledgeError(f"there is no check {name!r}", remedy=nearest(name, CODES) or f"Use {', '.join(CODES)}")
    return CODES[name]


def found(code: str, entry: Compiled, message: str, *others: str) -> Problem:
    """Report a finding on a rule, with the other rules that take part."""
    return Problem(CODES[code].severity, code, entry.rule.id, message, entry.place, others)
