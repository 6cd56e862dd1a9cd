"""Write a page as Markdown."""

from collections.abc import Iterator
from typing import assert_never

from .page import Block, Box, Branch, Facts, Items, Line, Page, Paragraph, Span, Table, Tree

_SPECIAL = str.maketrans({char: f"\\{char}" for char in "\\`*_<>[]|#"})


def to_markdown(page: Page) -> str:
    """Return the page as a Markdown document."""
    lines = [f"# {_text(page.title)}", ""]
    for block in page.blocks:
        lines += [*_block(block, 2), ""]
    return "\n".join(lines).rstrip() + "\n"


def _text(line: Line) -> str:
    if isinstance(line, str):
        return " ".join(line.translate(_SPECIAL).split("\n"))
    if isinstance(line, Span):
        text = _text(line.text)
        return f"**{text}**" if line.tone == "strong" and text.strip() == text and text else text
    return "".join(_text(part) for part in line)


def _block(block: Block, level: int) -> Iterator[str]:
    title = getattr(block, "title", "")
    if title:
        yield from (f"{'#' * level} {_text(title)}", "")
    match block:
        case Facts():
            yield from (f"- {_text(label)}: {_text(value)}" for label, value in block.pairs)
        case Table():
            yield from _table(block)
        case Items():
            marks = (f"{n}." if block.numbered else "-" for n in range(1, len(block.items) + 1))
            yield from (f"{mark} {_text(item)}" for mark, item in zip(marks, block.items, strict=True))
        case Paragraph():
            yield _text(block.text)
        case Tree():
            yield from _branch(block.root, 0)
        case Box():
            for inner in block.blocks:
                yield from (*_block(inner, level + 1), "")
        case _:
            assert_never(block)
    if isinstance(block, Table | Items) and block.note:
        yield from ("", _text(block.note))


def _table(block: Table) -> Iterator[str]:
    yield "| " + " | ".join(_text(column.title) for column in block.columns) + " |"
    yield "|" + "|".join("---:" if column.right else "---" for column in block.columns) + "|"
    for row in block.rows:
        yield "| " + " | ".join(_text(cell) for cell in row) + " |"


def _branch(branch: Branch, depth: int) -> Iterator[str]:
    yield f"{'  ' * depth}- {_text(branch.label)}"
    for child in branch.children:
        yield from _branch(child, depth + 1)
