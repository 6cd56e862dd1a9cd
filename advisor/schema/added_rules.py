"""Rules that a user added to the shipped ones."""

from .base import Record


class AddedRules(Record):
    """One folder of a user's rules as it was when it was read; `digest` changes with any of its rule files."""

    folder: str
    rules: tuple[str, ...]
    digest: str
