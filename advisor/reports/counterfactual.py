"""The page of what would change the winner: one table, the smallest change first."""

from advisor.schema import Counterfactual, Explanation

from .page import Column, Items, Line, Page, Span, Table, filled

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
    rest = len(found) - _SHOWN
    note = f"{rest} larger changes with --json. {_SIZE}" if rest > 0 else _SIZE
    table = Table(columns, tuple(_row(one) for one in found[:_SHOWN]), "Another plan wins", note if found else "")
    return Page(explanation.question, filled((Items(explanation.answer, "Answer"), table)))


def _row(one: Counterfactual) -> tuple[Line, ...]:
    mark = "*" if one.note else ""
    change: Line = (Span(one.change.replace("=", " = ", 1), "strong"), Span(f"\n({one.before})", "muted"))
    return f"{one.size:.2f}{mark}", change, one.plan, "; ".join(one.because)
