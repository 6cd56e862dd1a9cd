"""The pages of checking the rules: findings, one check, where rules can speak, and how their cases went."""

from collections.abc import Mapping, Sequence

from advisor.rules.branches import Branch
from advisor.rules.coverage import JUDGING, Coverage
from advisor.rules.linting import Code
from advisor.rules.problems import Problem, Severity
from advisor.rules.trials import Trial, Trials
from advisor.units import counted

from .page import Block, Column, Facts, Items, Page, Paragraph, Span, Table, Tone, filled

_TONES: dict[Severity, Tone] = {"error": "bad", "warning": "warn", "notice": "muted"}
_SIDES = {"fires": "fires", "silent": "silent", "case": "whole case"}
_KINDS = (*JUDGING, "procedure", "warn")


def check_page(problems: Sequence[Problem], rules: int, knowledge: str, everything: bool) -> Page:
    """List what the checks found; notices only where `everything` is asked for."""
    shown = [one for one in problems if everything or one.severity != "notice"]
    columns = (Column(""), Column("rule"), Column("check"), Column("finding", wrap=True))
    rows = tuple((Span(p.severity, _TONES[p.severity]), p.rule or "-", p.code, _told(p)) for p in shown)
    count = {severity: sum(one.severity == severity for one in problems) for severity in _TONES}
    accepted = sum(bool(one.accepted) for one in problems)
    more = " '--all' shows them." if count["notice"] and not everything else ""
    summary = (
        f"{counted(rules, 'rule')}, knowledge {knowledge}: {counted(count['error'], 'error')}, "
        f"{counted(count['warning'], 'warning')}, {counted(count['notice'], 'notice')}, "
        f"{accepted} accepted with a reason.{more}"
    )
    codes = Paragraph("'--explain CODE' says what a check means and what mends it.") if rows else None
    return Page("Rule check", filled((Table(columns, rows) if rows else None, Paragraph(summary), codes)))


def code_page(code: Code) -> Page:
    """Explain one check."""
    pairs = (("severity", Span(code.severity, _TONES[code.severity])), ("meaning", code.meaning), ("mend", code.remedy))
    return Page(f"Check {code.code}", (Facts(pairs),))


def coverage_page(found: Coverage) -> Page:
    """Count the rules that judge each technique on each class of devices, in two tables for the width."""
    middle = (len(found.classes) + 1) // 2
    tables = (_judging(found, classes) for classes in (found.classes[:middle], found.classes[middle:]))
    note = (
        "Rules that decide or advise on a plan of this technique alone, on some path of some profile of the class, and "
        "how many of them look at the device. Rules for every plan are not counted. In "
        f"{len(found.gaps)} cells no rule looks at the device."
    )
    return Page("Rules by technique and class of devices", (*tables, Paragraph(note)))


def _judging(found: Coverage, classes: Sequence[str]) -> Table:
    columns = (Column("technique"), *(Column(kind, right=True) for kind in classes))
    rows = tuple(
        (name, *(f"{found.own[name, kind]}/{found.placed[name, kind]}" for kind in classes))
        for name in found.techniques
    )
    return Table(columns, rows)


def technique_page(found: Coverage, technique: str) -> Page:
    """Count the rules that can hold for one technique, by their kind."""
    kinds = tuple(Column(kind, right=True) for kind in _KINDS)
    rows = tuple((name, *_counts(found.rules[technique, name])) for name in found.classes)
    note = "Rules that can hold for a plan of this technique alone, rules for every plan among them."
    return Page(f"Rules for {technique}", (Table((Column("class"), *kinds), rows, note=note),))


def trials_page(found: Trials, *, each: bool, parts: bool) -> Page:
    """Tell how the cases went: every one where `each` is asked for, else those that fail; `parts` lists the rest."""
    blocks: tuple[Block | None, ...] = (
        _trials(found.trials) if each else None,
        Items(tuple(_failure(trial) for trial in found.failed), "Failed") if found.failed else None,
        _unreached(found.unreached) if parts and found.unreached else None,
        Paragraph(_summary(found, parts)),
    )
    return Page("Cases of rules", filled(blocks))


def _trials(trials: Sequence[Trial]) -> Table:
    columns = (Column("rule or case", wrap=True), Column("side"), Column("outcome"))
    rows = tuple((one.subject, _SIDES[one.side], _outcome(one)) for one in trials)
    return Table(columns, rows)


def _outcome(trial: Trial) -> Span:
    return Span("fails", "bad") if trial.failures else Span("holds", "good")


def _failure(trial: Trial) -> str:
    return f"{trial.subject}, {_SIDES[trial.side]} ({trial.where}): {'; '.join(trial.failures)}"


def _unreached(found: Sequence[Branch]) -> Table:
    columns = (Column("rules"), Column("never"), Column("part of a condition", wrap=True))
    rows = tuple((_first(one.rules), _never(one), one.text) for one in found)
    return Table(columns, rows, "Not reached by any case")


def _never(branch: Branch) -> str:
    return "either" if not (branch.true or branch.false) else "false" if branch.true else "true"


def _first(rules: Sequence[str]) -> str:
    return rules[0] if len(rules) == 1 else f"{rules[0]} +{len(rules) - 1}"


def _summary(found: Trials, parts: bool) -> str:
    whole = sum(trial.side == "case" for trial in found.trials)
    fired, silent = found.passed("fires"), found.passed("silent")
    rules, told = counted(found.rules, "rule"), counted(whole, "whole case")
    cases = f"{rules}, {fired} fired, {silent} silent; {told}; {len(found.failed)} failed."
    never = [sum(not one.true for one in found.branches), sum(not one.false for one in found.branches)]
    reached = f"{len(found.branches)} parts of conditions, {never[0]} never true, {never[1]} never false in any case."
    return f"{cases} {reached}" + ("" if parts or not any(never) else " '--parts' lists them.")


def _counts(found: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(str(found.get(kind, 0)) for kind in _KINDS)


def _told(problem: Problem) -> str:
    told = f"{problem.message} ({problem.where})" if problem.where else problem.message
    return f"{told} Accepted: {problem.accepted}" if problem.accepted else told
