"""Pieces of Markdown."""

import re
from collections.abc import Iterable, Iterator, Sequence

from advisor.rules.in_words import Clause

_SPECIAL = str.maketrans({char: f"\\{char}" for char in "\\`*_<>[]|#$"})
_CODE = re.compile(r"(`[^`]+`)")
_SCHEME = re.compile(r"https?://[^\s,;)]+")
_ARXIV = re.compile(r"\barXiv[ :](\d{4}\.\d{5})")
_REPOSITORY = re.compile(r"^([A-Za-z][\w-]*)/([\w.-]+?)(?:@([0-9a-f]{7,40}))?(?=[\s,;]|$)")
_GITHUB = re.compile(r"^github\.com/([\w-]+)/([\w.-]+?)(?:@([0-9a-f]{7,40}))?(?=[\s,;]|$)")
_HOST = re.compile(r"^((?:[\w-]+\.)+(?:ai|com|io|net|org)(?:/[\w./-]*\w)?)(?=[\s,;]|$)")
_OWN = ("docs", "knowledge", "advisor", "profiles")


def plain(text: str) -> str:
    """Write text so that Markdown shows it as it is; what stands between backticks stays code."""
    pieces = _CODE.split(" ".join(text.split()))
    return "".join(piece if place % 2 else piece.translate(_SPECIAL) for place, piece in enumerate(pieces))


def capital(text: str) -> str:
    """Begin with a capital letter and leave the others."""
    return text[:1].upper() + text[1:]


def anchor(heading: str) -> str:
    """Return the anchor of a heading that is a name."""
    return heading.lower().replace(".", "")


def code(text: str) -> str:
    """Write code within a line."""
    return f"`{text.replace('`', chr(39))}`"


def block(text: str) -> Iterator[str]:
    """Write code on lines of its own."""
    yield from ("```text", text, "```", "")


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Write a table of cells that are Markdown already; none at all without rows."""
    lines = [f"| {' | '.join(cells)} |" for cells in rows]
    if lines:
        yield from (f"| {' | '.join(titles)} |", f"|{'---|' * len(titles)}", *lines, "")


def orphan(title: str) -> Iterator[str]:
    """Begin a page that indexes lead to, so that it stands in no list of contents."""
    yield from ("---", "orphan: true", "---", f"# {title}", "")


def statements(clause: Clause, depth: int = 0) -> Iterator[str]:
    """Write a condition as nested points."""
    indent = "  " * depth
    if not clause.join:
        yield f"{indent}- {plain(clause.text)}"
        return
    if depth or clause.join == "any":
        yield f"{indent}- {'all of these' if clause.join == 'all' else 'at least one of these'}:"
        depth += 1
    for part in clause.parts:
        yield from statements(part, depth)


def source(ref: str) -> str:
    """Write a source, with links where it names addresses, a paper, a host or a repository."""
    if found := _SCHEME.search(ref):
        rest = ref[found.end() :]
        head = _linked(ref[: found.end()], found.span(), found[0])
        return f"{head}{' ' if rest.startswith(' ') else ''}{source(rest.strip())}" if rest.strip() else head
    if found := _ARXIV.search(ref):
        return _linked(ref, found.span(), f"https://arxiv.org/abs/{found[1]}")
    if not _GITHUB.match(ref) and (found := _HOST.match(ref)):
        return _linked(ref, found.span(), f"https://{found[1]}")
    if (found := _GITHUB.match(ref) or _REPOSITORY.match(ref)) and found[1] not in _OWN:
        at = f"/tree/{found[3]}" if found[3] else ""
        return _linked(ref, found.span(), f"https://github.com/{found[1]}/{found[2]}{at}")
    return plain(ref)


def _linked(ref: str, span: tuple[int, int], address: str) -> str:
    before, words, after = ref[: span[0]], ref[slice(*span)], ref[span[1] :]
    gap = " " if before.endswith(" ") else ""
    tail = " " if after.startswith(" ") else ""
    return f"{plain(before)}{gap}[{plain(words)}](<{address}>){tail}{plain(after)}"
