"""Where a board is: ssh://user@host:port, read strictly, since it ends on a command line."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from advisor.errors import GoalError

_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*\$?")
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*|[0-9A-Fa-f:]+(%[A-Za-z0-9._-]+)?")
_REMEDY = "Write ssh://user@host or ssh://user@host:port; host may be a name from your ssh configuration."


@dataclass(frozen=True)
class Address:
    """A board. What is None is left to the user's ssh configuration."""

    host: str
    user: str | None = None
    port: int | None = None

    def __str__(self) -> str:
        """Write it as ssh writes it: user@host:port."""
        user = f"{self.user}@" if self.user else ""
        return f"{user}{self.host}" + (f":{self.port}" if self.port else "")

    @property
    def options(self) -> tuple[str, ...]:
        """What tells ssh of user and port."""
        user = ("-l", self.user) if self.user else ()
        return (*user, "-p", str(self.port)) if self.port else user


def read_address(text: str) -> Address:
    """Read an address; passwords, paths and queries are refused, as is all that could pass for an option."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise GoalError(f"--on: {text!r} is no address: {error}", remedy=_REMEDY) from error
    if parts.scheme != "ssh" or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise GoalError(f"--on: {text!r} is no address of a board", remedy=_REMEDY)
    if parts.password is not None:
        raise GoalError("--on: an address holds no password", remedy="Use a key: ssh-copy-id puts it on the board.")
    user = parts.username
    if not _HOST.fullmatch(host) or (user is not None and not _USER.fullmatch(user)):
        raise GoalError(f"--on: {text!r} names no user and host", remedy=_REMEDY)
    return Address(host, user, port)
