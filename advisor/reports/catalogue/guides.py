"""The hand-written and measured pages of `docs/`, and the pages of the checkout's root, moved into the site."""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

_GENERATED = ("rules.md", "devices.md", "index.md")  # the site has pages of its own under these names
_FIRST = (
    "overview",
    "contributing",
    "models",
    "data",
    "probe",
    "applying",
    "on-the-device",
    "history",
    "learning",
    "explaining",
    "adding-a-rule",
    "rules-evidence",
    "decisions",
)
_ROOT = {"README.md": "overview.md", "CONTRIBUTING.md": "contributing.md"}
_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)\s]*)?\)")
_FILES = (".svg", ".png")


def guides(root: Path) -> dict[str, str]:
    """Return the pages by name, with links that fit their new place."""
    pages = {name: _moved(root, root / file) for file, name in _ROOT.items()}
    for path in sorted((root / "docs").glob("*.md")):
        if path.name not in _GENERATED:
            pages[path.name] = _moved(root, path)
    return pages


def pictures(root: Path) -> Iterator[Path]:
    """Yield the files that pages show or offer."""
    yield root / "LICENSE"
    yield from sorted(path for path in (root / "docs").iterdir() if path.suffix in _FILES)


def start(root: Path, pages: Mapping[str, str], catalogue: Mapping[str, str]) -> str:
    """Return the first page with the lists of contents below it."""
    names = [Path(name).stem for name in pages]
    ordered = sorted(names, key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))
    text = (root / "docs" / "index.md").read_text(encoding="utf-8").rstrip()
    return f"{text}\n\n{_contents('Guides', ordered)}\n{_contents('Catalogue', [Path(n).stem for n in catalogue])}"


def _contents(caption: str, names: list[str]) -> str:
    return "\n".join(("```{toctree}", f":caption: {caption}", ":maxdepth: 1", "", *names, "```", ""))


def _moved(root: Path, path: Path) -> str:
    """Read a page with links that fit its new place; what is no part of the site is named without a link."""
    parts = {*(root / file for file in _ROOT), *(root / "docs").glob("*.md"), *pictures(root)}

    def link(found: re.Match[str]) -> str:
        mark, words, target, anchor = found.groups()
        place = Path(os.path.normpath(path.parent / target))
        if place not in parts:
            return words
        name = _ROOT.get(place.name, place.name) if place.parent == root else place.name
        return f"{mark}[{words}]({name}{anchor or ''})"

    return _LINK.sub(link, path.read_text(encoding="utf-8"))
