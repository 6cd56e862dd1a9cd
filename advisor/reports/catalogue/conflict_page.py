"""The page of conflicts: questions that sources answer differently, and how the rule base settles them."""

from collections.abc import Iterator

from advisor.rules.conflicts import Conflict, ConflictCase, Side
from advisor.rules.wording import show

from .known import Known
from .text import anchor, capital, code, plain, table


def conflict_page(known: Known) -> Iterator[str]:
    """Write the page."""
    found = known.conflicts
    yield from ("# Where sources disagree", "")
    yield f"{len(found.conflicts)} questions on which knowledgeable sources differ, what an expert does about each, and"
    yield "how the rules see to it. `advisor rules test` runs the cases: what the tables say is what the engine does."
    yield ""
    yield from table(("", "question"), [(_link(one), plain(one.question)) for one in found.conflicts])
    yield from ("## What goes before what", "")
    yield from table(
        ("", "source of knowledge", "how it gets its place"),
        [(str(n), plain(rank.what), plain(rank.how)) for n, rank in enumerate(found.precedence, 1)],
    )
    yield from ("Between equals:", "", *(f"- {plain(tie)}" for tie in found.ties), "")
    yield from (f"One exception. {plain(found.exception)}", "")
    for conflict in found.conflicts:
        yield from _conflict(conflict, known)


def _link(conflict: Conflict) -> str:
    return f"[{conflict.id}](#{anchor(conflict.id)})"


def _conflict(conflict: Conflict, known: Known) -> Iterator[str]:
    yield from (f"## {conflict.id}", "", f"**{plain(conflict.question)}**", "")
    yield from table(("a side says", "origin", "rules"), [_side(side, known) for side in conflict.sides])
    yield from (f"**What an expert does.** {plain(conflict.resolution)}", "")
    yield from (f"**How the rules see to it.** {plain(conflict.enforced)}", "")
    for case in conflict.cases:
        yield from _case(case, known)


def _side(side: Side, known: Known) -> tuple[str, ...]:
    return plain(side.says), side.origin, ", ".join(known.link(rule) for rule in side.rules) or "told in words only"


def _case(case: ConflictCase, known: Known) -> Iterator[str]:
    facts = known.base.vocabulary
    told = ", ".join(f"{code(name)} = {plain(show(case.facts[name], facts[name].unit))}" for name in sorted(case.facts))
    yield from (f"*{plain(capital(case.about))}*: {told}", "")
    yield from table(
        ("rule", "what it says", "here"),
        [(known.link(rule), plain(known.base.get(rule).rule.title), deed) for rule, deed in case.then.items()],
    )
