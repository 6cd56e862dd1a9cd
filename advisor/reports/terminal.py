"""Draw a page with rich; fits any width from 60 columns on and never cuts a number."""

from itertools import chain
from typing import assert_never

from rich import box
from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.rule import Rule as Ruler
from rich.style import Style
from rich.table import Table as RichTable
from rich.text import Text
from rich.tree import Tree as RichTree

from .page import Block, Box, Branch, Column, Facts, Items, Line, Page, Paragraph, Span, Table, Tone, Tree

_STYLES: dict[Tone, str] = {
    "plain": "",
    "strong": "bold",
    "muted": "dim",
    "good": "green",
    "bad": "red",
    "warn": "yellow",
}
_LONG_WORD = 9  # longer words are broken where the width asks for it


def show(page: Page, console: Console) -> None:
    """Print the page on the console; files and pipes get no spaces at the end of lines."""
    if console.is_terminal:
        console.print(render(page))
        return
    with console.capture() as captured:
        console.print(render(page))
    console.file.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def render(page: Page) -> RenderableType:
    """Return the page as one renderable."""
    head = Ruler(Text(page.title, "bold"), align="left", style="dim", characters="─")
    bodies = [part for block in page.blocks for part in (_block(block), Text())]
    return Group(head, *bodies)


def _text(line: Line) -> Text:
    if isinstance(line, str):
        return Text(line)
    if isinstance(line, Span):
        return Text(line.text, _STYLES[line.tone])
    return Text.assemble(*(_text(part) for part in line))


def _block(block: Block) -> RenderableType:
    match block:
        case Facts():
            return _facts(block)
        case Table():
            return _titled(block.title, _table(block), block.note)
        case Items():
            return _titled(block.title, _items(block), block.note)
        case Paragraph():
            return _titled(block.title, _text(block.text))
        case Tree():
            return _titled(block.title, _tree(block.root))
        case Box():
            return _box(block)
    assert_never(block)


def _titled(title: str, body: RenderableType, note: str = "") -> RenderableType:
    parts = [Text(title, "bold")] if title else []
    notes = [Text(note, "dim")] if note else []
    return Group(*parts, body, *notes)


def _facts(block: Facts) -> RichTable:
    grid = RichTable.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    for label, value in block.pairs:
        grid.add_row(label, _text(value))
    return grid


def _table(block: Table) -> RichTable:
    table = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0), header_style=Style())
    for column in block.columns:
        table.add_column(
            Text(column.title, "dim"),
            justify="right" if column.right else "left",
            no_wrap=not column.wrap,
            overflow="fold",
            min_width=_needed(block, column),
        )
    for row in block.rows:
        table.add_row(*(_text(cell) for cell in row))
    return table


def _needed(block: Table, column: Column) -> int:
    """Width below which the column would break a cell (fixed columns) or a word of usual length (wrapping ones)."""
    index = block.columns.index(column)
    cells = [_text(row[index]).plain for row in block.rows]
    pieces = chain.from_iterable((cell.split() if column.wrap else cell.splitlines()) for cell in cells)
    titles = column.title.split()
    longest = max((len(piece) for piece in chain(pieces, titles)), default=1)
    return min(longest, _LONG_WORD) if column.wrap else longest


def _items(block: Items) -> RichTable:
    grid = RichTable.grid(padding=(0, 1, 0, 0))
    grid.add_column(no_wrap=True, justify="right", style="dim")
    grid.add_column(overflow="fold")
    for number, item in enumerate(block.items, 1):
        grid.add_row(f"{number}." if block.numbered else "-", _text(item))
    return grid


def _tree(root: Branch) -> RichTree:
    tree = RichTree(_text(root.label), guide_style="dim")
    _grow(tree, root.children)
    return tree


def _grow(tree: RichTree, children: tuple[Branch, ...]) -> None:
    for child in children:
        _grow(tree.add(_text(child.label)), child.children)


def _box(block: Box) -> Panel:
    parts: list[RenderableType] = []
    for inner in block.blocks:
        parts += [_block(inner), Text()]
    return Panel(
        Group(*parts[:-1]),
        title=Text(block.title, "bold"),
        title_align="left",
        border_style=_STYLES[block.tone],
        padding=(0, 1),
    )
