"""The page of a replay: whether a stored decision still holds, the versions behind it, and what turned."""

from collections import defaultdict

from advisor.schema import Comparison, Replay

from .page import Block, Column, Items, Line, Page, Span, Table, filled
from .words import more

_MOST = 12


def replay_page(replay: Replay) -> Page:
    """Lay out a replay."""
    first, *others = replay.answer
    head: Line = Span(first, "good" if replay.same else "warn")
    blocks: list[Block] = [Items((head, *others), "Answer"), _versions(replay)]
    shown: list[Comparison] = []
    for one in replay.comparisons:
        if any(_alike(one, other) for other in shown):
            blocks.append(Items((f"Decided again {one.how}: the same differences.",)))
        else:
            blocks += _compared(one)
        shown.append(one)
    return Page("does the stored decision still hold", filled(blocks))


def _versions(replay: Replay) -> Table:
    columns = (Column("rests on"), Column("stored", wrap=True), Column("now", wrap=True))
    return Table(columns, tuple((v.what, v.stored, v.now) for v in replay.versions))


def _alike(one: Comparison, other: Comparison) -> bool:
    return not one.same and one.model_copy(update={"how": other.how}) == other


def _compared(one: Comparison) -> list[Block]:
    """Show what differs in one way of deciding again; nothing where nothing does."""
    if one.same:
        return [Items((f"Decided again {one.how}: the same winner, ranking, rejections and figures.",))]
    groups: dict[tuple[str, str, str], int] = defaultdict(int)
    for flip in one.flips:
        groups[flip.what, flip.before, flip.after] += 1
    ordered = sorted(groups.items(), key=lambda item: (-item[1], item[0]))
    titles = Column("rule or limit"), Column("stored", wrap=True), Column("now", wrap=True), Column("plans", right=True)
    rows = tuple((*change, str(count)) for change, count in ordered[:_MOST])
    return [
        Table(titles, rows, f"Decided again {one.how}", more(len(ordered) - _MOST)),
        _some(one.moved, "Other places in the ranking"),
        _some(one.figures, "Other predicted figures"),
        _some(one.plans, "Other plans"),
    ]


def _some(lines: tuple[str, ...], title: str) -> Items:
    return Items(lines[:_MOST], title, note=more(len(lines) - _MOST))
