"""A report as a value: blocks of text that the terminal and Markdown writers both understand."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Tone = Literal["plain", "strong", "muted", "good", "bad", "warn"]


@dataclass(frozen=True)
class Span:
    """A piece of text with a tone; writers without colour show the text alone, so no meaning may hang on the tone."""

    text: str
    tone: Tone = "plain"


Line = str | Span | tuple[str | Span, ...]


@dataclass(frozen=True)
class Facts:
    """Label and value, one pair per line."""

    pairs: tuple[tuple[str, Line], ...]


@dataclass(frozen=True)
class Column:
    """A column of a table; a column that does not wrap keeps its cells whole at any width."""

    title: str
    right: bool = False
    wrap: bool = False


@dataclass(frozen=True)
class Table:
    """Rows under column titles, with an optional heading above and a note below."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Line, ...], ...]
    title: str = ""
    note: str = ""


@dataclass(frozen=True)
class Items:
    """A list under an optional heading; numbered where the order counts."""

    items: tuple[Line, ...]
    title: str = ""
    numbered: bool = False
    note: str = ""


@dataclass(frozen=True)
class Paragraph:
    """Running text under an optional heading."""

    text: Line
    title: str = ""


@dataclass(frozen=True)
class Branch:
    """A node of a tree."""

    label: Line
    children: tuple["Branch", ...] = ()


@dataclass(frozen=True)
class Tree:
    """Nested lines, for traces."""

    root: Branch
    title: str = ""


@dataclass(frozen=True)
class Box:
    """Blocks that belong together, framed where the medium has frames."""

    title: str
    blocks: tuple["Block", ...]
    tone: Tone = "plain"


Block = Facts | Table | Items | Paragraph | Tree | Box


@dataclass(frozen=True)
class Page:
    """A whole report."""

    title: str
    blocks: tuple[Block, ...]


def plain(line: Line) -> str:
    """Return the text of a line without its tones."""
    if isinstance(line, str):
        return line
    if isinstance(line, Span):
        return line.text
    return "".join(plain(part) for part in line)


def filled(blocks: Sequence[Block | None]) -> tuple[Block, ...]:
    """Drop absent blocks and blocks without content."""
    return tuple(block for block in blocks if block is not None and not _is_empty(block))


def _is_empty(block: Block) -> bool:
    match block:
        case Facts(pairs=content) | Table(rows=content) | Items(items=content) | Box(blocks=content):
            return not content
    return False
