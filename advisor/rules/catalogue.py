"""The catalogue of rules as a page: `python -m advisor.rules.catalogue [FILE]` writes docs/rules.md."""

import re
import sys
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from advisor.resources import data_dir
from advisor.schema import CERTAINTY, Rule
from advisor.writing import write_text

from .in_words import in_words
from .load import Compiled, RuleBase, load_rules
from .phrases import Phrases, load_phrases

PLACE = re.compile(r"\{([^{}:]*)(:%)?\}")
KINDS = {
    "veto": "rejects the plan",
    "require": "rejects the plan unless its demand holds",
    "prefer": "speaks for the plan",
    "avoid": "speaks against the plan",
    "estimate": "bounds an effect",
    "procedure": "adds a step to the instructions",
    "warn": "is shown with the plan",
}
ORIGINS = {
    "S1": "stated by the survey itself (arXiv 2408.08250) or written in its repository",
    "S2": "reported of the survey by third parties, not checked against its text",
    "S3": "inferred from the survey's subject, not found in its text",
    "X": "extends the survey from other literature, documentation of makers or measurements",
}


def render(base: RuleBase) -> str:
    """Write the whole page; the same rule base gives the same text."""
    return "\n".join(_page(base)) + "\n"


def page_path() -> Path:
    """Return where the page lies in a checkout."""
    return data_dir("knowledge").parent / "docs" / "rules.md"


def is_stale(base: RuleBase) -> bool:
    """Whether the page in the checkout is missing or differs from the rules."""
    path = page_path()
    return not path.is_file() or path.read_text(encoding="utf-8") != render(base)


def bounds(rule: Rule) -> str:
    """Write what an estimate bounds: 'latency_ms: 1 to 1.9'."""
    ends = [f"{value:g}" for value in (rule.low, rule.high) if value is not None]
    return f"{rule.metric}: {' to '.join(ends) or 'no figure'}"


def _page(base: RuleBase) -> Iterator[str]:
    yield "# Rules"
    yield ""
    yield f"{len(base)} rules, knowledge base {base.version}. Generated from `knowledge/rules/`; do not edit."
    yield ""
    yield "What a rule does: " + "; ".join(f"**{kind}** {does}" for kind, does in KINDS.items()) + "."
    yield ""
    yield "Certainty as a weight: " + ", ".join(f"{name} {weight}" for name, weight in CERTAINTY.items()) + "."
    yield ""
    yield "Origin: " + "; ".join(f"**{mark}** {what}" for mark, what in ORIGINS.items()) + "."
    ordered = sorted(base, key=lambda entry: (entry.rule.group, entry.rule.id))
    groups = [(name, list(entries)) for name, entries in groupby(ordered, key=lambda entry: entry.rule.group)]
    yield ""
    yield "| group | rules | with S1 | strong |"
    yield "|---|---|---|---|"
    for name, entries in groups:
        survey = sum("S1" in entry.rule.origin for entry in entries)
        strong = sum(entry.rule.certainty == "strong" for entry in entries)
        yield f"| [{name}](#{name}) | {len(entries)} | {survey} | {strong} |"
    phrases = load_phrases(base.vocabulary)
    for name, entries in groups:
        yield f"\n## {name}"
        for entry in entries:
            yield from _section(entry, phrases)


def _section(entry: Compiled, phrases: Phrases) -> Iterator[str]:
    rule = entry.rule
    yield f"\n### {rule.id} {rule.title}\n"
    if rule.deprecated:
        yield f"**Deprecated**: {rule.deprecated}\n"
    yield f"{rule.kind} · {rule.certainty} · origin {rule.origin} · per {rule.scope} · since {rule.since}\n"
    said = PLACE.sub(r"`\1`", rule.reason)
    yield f"**What it says.** {said}"
    yield from _effects(rule)
    more = {"Why it is believed": rule.why_sure, "Prevents": rule.guards, "When it is wrong": rule.wrong_when}
    yield from (f"\n**{title}.** {text}" for title, text in more.items() if text)
    if rule.overrides:
        yield f"\n**Sets aside.** {', '.join(rule.overrides)}"
    yield f"\n**It applies when** {in_words(entry.when, phrases)}.\n\n```\n{entry.when.text}\n```"
    if entry.demand:
        yield f"\n**Then it demands that** {in_words(entry.demand, phrases)}.\n\n```\n{entry.demand.text}\n```"
    yield f"\n**Fires on** {_facts(rule.cases.fires)}"
    yield f"\n**Silent on** {_facts(rule.cases.silent)}"
    yield "\n**Sources**\n"
    for source in rule.sources:
        claim = f": {source.claim}" if source.claim else ""
        yield f"- {source.ref}{claim}{'' if source.seen else ' (recalled, not opened)'}"


def _effects(rule: Rule) -> Iterator[str]:
    if rule.step:
        yield f"\n**Step.** {rule.step}"
    if rule.metric:
        yield f"\n**Bounds** {bounds(rule)}"


def _facts(facts: Mapping[str, Any]) -> str:
    return ", ".join(f"`{name}` = {_value(facts[name])}" for name in sorted(facts))


def _value(value: Any) -> str:
    if isinstance(value, list | tuple | set | frozenset):
        return "{" + ", ".join(sorted(str(item) for item in value)) + "}"
    return "unknown" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def main(arguments: list[str]) -> int:
    """Write the page."""
    base = load_rules()
    path = Path(arguments[0]) if arguments else page_path()
    write_text(path, render(base))
    print(f"{len(base)} rules written to {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
