"""The page docs/rules-evidence.md: how rules are held against the evidence, the table, an explanation of every miss."""

import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

from advisor.resources import data_dir
from advisor.rules import RuleBase

from .judging import Agreement
from .settings import Judged
from .written import UNITS, VERDICTS, seen, summary

_HOW = """
Two measurements that differ in one thing - the precision, a technique, the unit - are one pair. The facts of its
network, device, runtime and plan are put to every rule by the engine that recommends; where a rule's condition is true,
what was measured is compared with what the rule claims. Gains are baseline over candidate in the same runtime, losses
are points of accuracy. An estimate is right where the measurement lies within its bounds; a rule that prefers, where
the plan is not slower (by over {speed:.0%}) or loses at most {points:g} points; one that avoids, forbids, requires
otherwise or warns, where the plan is not faster, or loses that much.

Each network has one vote, and within it each device, so that no grid of settings of one network decides. Settings that
papers try on purpose although nobody would ship them are left out, and so are kernels that were rewritten since, unless
nobody measured such a processor again; `knowledge/evidence/agreement.yaml` says which and why. A rule that is right in
fewer than {rate:.0%} of at least {pairs} pairs is contradicted: it is revised, or its page says when it is wrong and it
is listed as explained. A star marks rules that cite the measurements themselves: their agreement shows that the figures
were carried over rightly and fit the other networks of the table, not that they hold elsewhere.
"""


def page_path() -> Path:
    """Where the page lies in a checkout."""
    return data_dir("knowledge").parent / "docs" / "rules-evidence.md"


def page(found: Sequence[Agreement], base: RuleBase, judged: Judged) -> str:
    """Write the page; the same agreements give the same text."""
    return "\n".join(_page(found, base, judged)) + "\n"


def _page(found: Sequence[Agreement], base: RuleBase, judged: Judged) -> Iterator[str]:
    yield "# Rules against the evidence\n"
    yield "Written by `make rules-evidence`; do not edit."
    yield _HOW.format(
        speed=judged.same_speed, points=judged.same_accuracy, rate=judged.hit_rate, pairs=judged.pairs
    ).rstrip()
    yield f"\n{summary(found)}\n"
    yield "| rule | what | claims | pairs | networks | devices | right | seen: 10, 50, 90 % | verdict |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for verdict in VERDICTS[:-1]:
        yield from (_row(item, base) for item in found if item.verdict == verdict)
    yield "\n## Misses\n"
    for item in (item for item in found if item.verdict in VERDICTS[:2]):
        yield _item(item, base, item.note or "no explanation yet")
    yield "\n## Rules that no pair speaks about\n"
    yield "The measurements hold neither such a device nor such a setting, or do not state the fact that decides.\n"
    for item in (item for item in found if item.verdict == VERDICTS[-1]):
        yield _item(item, base, item.note)


def _row(item: Agreement, base: RuleBase) -> str:
    cells = (
        item.rule, base.get(item.rule).rule.title, item.claim, str(item.n), str(item.models), str(item.devices),
        f"{item.hit_rate:.0%}{'*' if item.drawn else ''}", f"{seen(item)} {UNITS[item.metric]}", item.verdict,
    )  # fmt: skip
    return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def _item(item: Agreement, base: RuleBase, text: str) -> str:
    words = f"- **{item.rule}** {base.get(item.rule).rule.title}" + (f": {text}" if text else "")
    return textwrap.fill(words, 120, subsequent_indent="  ", break_on_hyphens=False)
