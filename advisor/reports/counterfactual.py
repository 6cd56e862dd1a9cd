"""The page of what would change the winner: one table, the smallest change first."""

from advisor.ranking.turning.facts import BY_RULES
from advisor.schema import Counterfactual, Explanation

from .page import Column, Items, Line, Page, Span, Table, filled
from .words import more

_SHOWN = 16
_SIZE = "size: doublings of a number, points of accuracy; knowledge/ranking.yaml tells the rest."


def counterfactual_page(explanation: Explanation) -> Page:
    """Lay out the changes that make another plan win."""
    found = explanation.counterfactuals
    columns = (
        Column("size", right=True),
        Column("with (now)", wrap=True),
        Column("wins", wrap=True),
        Column("because", wrap=True),
    )
    note = f"{more(len(found) - _SHOWN)} {_SIZE}".lstrip()
    table = Table(columns, tuple(_row(one) for one in found[:_SHOWN]), "Another plan wins", note)
    return Page(explanation.question, filled((Items(explanation.answer, "Answer"), table)))


def _row(one: Counterfactual) -> tuple[Line, ...]:
    of_rules = one.note == BY_RULES  # the answer says what the star means
    change: Line = (Span(one.change.replace("=", " = ", 1), "strong"), Span(f"\n({one.before})", "muted"))
    told = one.because if of_rules or not one.note else (*one.because, one.note)
    return f"{one.size:.2f}{'*' if of_rules else ''}", change, one.plan, "; ".join(told)
