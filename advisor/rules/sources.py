"""Where a user's rules come from: folders that are named, the environment, and installed packages.

Each is a folder of rule files that joins the shipped ones. Packages name theirs under the entry point `advisor.rules`:
a path, or a function that returns one.
"""

import os
from collections.abc import Iterable, Iterator
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from advisor.errors import KnowledgeError

from .load import RuleBase, load_rules, rule_files

VARIABLE = "ADVISOR_RULES"
GROUP = "advisor.rules"


def rules_in_use(given: Iterable[Path] = ()) -> RuleBase:
    """Load the shipped rules with those of all folders that hold for this call; the first mistake is an error."""
    return load_rules(*rule_folders(given))


def rule_folders(given: Iterable[Path] = ()) -> tuple[Path, ...]:
    """Return the folders named here, in the environment and by packages, each once."""
    found: dict[Path, Path] = {}
    for folder, where in (*((Path(one), "") for one in given), *_from_environment(), *_from_packages()):
        if not folder.is_dir():
            what = "is not a folder" if folder.exists() else "does not exist"
            raise KnowledgeError(f"the folder of rules {folder} {what}", where=where, remedy="Give --rules DIR")
        if not rule_files(folder):
            raise KnowledgeError(f"the folder {folder} holds no rule", where=where, remedy="Rule files end in .yaml")
        found.setdefault(folder.resolve(), folder.absolute())
    return tuple(found.values())


def told(base: RuleBase) -> tuple[str, ...]:
    """Say which rules of the user's own take part."""
    return tuple(f"Rules of {added.folder} took part: {', '.join(added.rules)}." for added in base.added)


def _from_environment() -> Iterator[tuple[Path, str]]:
    for text in os.environ.get(VARIABLE, "").split(os.pathsep):
        if text.strip():
            yield Path(text.strip()).expanduser(), f"the environment variable {VARIABLE}"


def _from_packages() -> Iterator[tuple[Path, str]]:
    for point in sorted(entry_points(group=GROUP), key=lambda one: (one.name, one.value)):
        where = f"the entry point {point.name} = {point.value}"
        yield _folder_of(point, where), where


def _folder_of(point: EntryPoint, where: str) -> Path:
    """Ask a package for its folder; whatever it does wrong is told as its mistake."""
    remedy = "Update or remove the package; its entry point gives a path, or a function that returns one"
    try:
        given = point.load()
        given = given() if callable(given) else given
    except Exception as error:
        raise KnowledgeError(f"a package with rules fails: {error}", where=where, remedy=remedy) from error
    if not isinstance(given, str | os.PathLike):
        raise KnowledgeError(f"a package with rules gives {given!r}, not a path", where=where, remedy=remedy)
    return Path(given)
