"""Where outcomes are kept: a file of the user's, or a database that several people share."""

import os
from pathlib import Path

from advisor.errors import AdvisorError

VARIABLE = "ADVISOR_OUTCOMES"  # a file, an SQLAlchemy URL, or `off`
_OFF = ("off", "0", "no")
FILE = "outcomes.sqlite"


class StoreError(AdvisorError):
    """The outcomes store is damaged, out of reach, or of a newer version."""


def place_of(named: str | None = None) -> str | None:
    """Return the URL of the store: of what is named, else of ADVISOR_OUTCOMES, else in the user's data folder.

    None where it is switched off.
    """
    text = named if named is not None else os.environ.get(VARIABLE, "")
    if text.lower() in _OFF:
        return None
    if "://" in text:
        return text
    if text:
        return f"sqlite:///{Path(text).expanduser().absolute()}"
    from platformdirs import user_data_path

    return f"sqlite:///{(user_data_path('advisor') / FILE).absolute()}"


def file_of(url: str) -> Path | None:
    """Return the file of an SQLite URL, None for other databases."""
    scheme, _, rest = url.partition(":///")
    return Path(rest) if scheme.split("+")[0] == "sqlite" and rest else None


def shown(url: str) -> str:
    """Write a place for people: a file as its path, a URL without its password."""
    file = file_of(url)
    if file is not None:
        return str(file)
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "the named database"
