"""Ids, names of files and folders."""

import re
from collections.abc import Iterator

from ..load import RuleBase
from ..problems import Problem
from .table import found

FOR_USERS = ("X", "Y", "Z")  # ids of shipped rules never begin so


def names(base: RuleBase) -> Iterator[Problem]:
    """Id, file name and group agree; one prefix belongs to one group, and some to users."""
    groups: dict[str, str] = {}
    added = {folder.folder for folder in base.added}
    for entry in base:
        rule, prefix = entry.rule, entry.rule.id[:2]
        if not re.fullmatch(re.escape(rule.id) + r"-[a-z0-9]+(-[a-z0-9]+)*\.yaml", entry.path.name):
            yield found("file-name", entry, f"the file is not called {rule.id}-<slug>.yaml")
        flat = str(entry.root) in added and entry.path.parent == entry.root
        if entry.path.parent.name != rule.group and not flat:
            yield found("group", entry, f"group {rule.group!r} lies in the folder {entry.path.parent.name!r}")
        if groups.setdefault(prefix, rule.group) != rule.group:
            yield found("prefix", entry, f"{prefix} rules belong to {groups[prefix]!r}, this one to {rule.group!r}")
        if prefix.startswith(FOR_USERS) and str(entry.root) not in added:
            yield found("reserved", entry, f"ids that begin with {', '.join(FOR_USERS)} are for rules of users")
