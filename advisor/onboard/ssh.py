"""The user's own OpenSSH client as the way to a board: its configuration, keys and agent count, its host keys too.

Host keys are always checked and never accepted here; nothing is forwarded, and no password is asked for.
"""

import shlex
import shutil
import subprocess
from pathlib import Path

from advisor.errors import AdvisorError, RunError

from .address import Address

CONNECT_SECONDS = 15
LOOKUP_SECONDS = 10
_OPTIONS = (
    "StrictHostKeyChecking=yes",
    "BatchMode=yes",
    f"ConnectTimeout={CONNECT_SECONDS}",
    "ServerAliveInterval=15",  # a board that is gone is noticed after a minute
    "ServerAliveCountMax=4",
    "UpdateHostKeys=no",
    "ForwardAgent=no",
    "ForwardX11=no",
    "ClearAllForwardings=yes",
    "PermitLocalCommand=no",
    "RemoteCommand=none",
    "RequestTTY=no",
    "LogLevel=INFO",
)
_UNREACHABLE = (
    "Connection refused", "Connection timed out", "No route to host", "Could not resolve hostname",
    "Network is unreachable", "Connection closed", "Connection reset", "Operation timed out",
)  # fmt: skip


def command(address: Address, remote: tuple[str, ...], config: Path | None = None) -> tuple[str, ...]:
    """Return the command that runs `remote` on the board."""
    if shutil.which("ssh") is None:
        raise RunError("there is no ssh here", remedy="Install OpenSSH's client, or use 'advisor bench-kit'.")
    options = tuple(part for option in _OPTIONS for part in ("-o", option))
    return ("ssh", *_config(config), *options, *address.options, "--", address.host, shlex.join(remote))


def explained(address: Address, status: int, said: str, config: Path | None = None) -> AdvisorError:
    """Turn what ssh said when it failed into an error that says what to do."""
    where = str(address)
    if "REMOTE HOST IDENTIFICATION HAS CHANGED" in said:
        return RunError(
            f"the board at {where} shows another host key than before{_shown(address, config)}",
            where="somebody may be listening in, or the board was installed anew",
            remedy=f"Compare it on the board itself; if it was installed anew: ssh-keygen -R {_known_as(address)}",
        )
    if "Host key verification failed" in said or "host key is known" in said:
        return RunError(
            f"the host key of {where} is not known{_shown(address, config)}",
            where="on the board, 'ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub' shows its own",
            remedy=f"If they are equal, accept it once: {_by_hand(address, config)}",
        )
    if "Permission denied" in said:
        return RunError(
            f"the board at {where} does not let you in",
            remedy="Only keys are used: ssh-copy-id puts yours on the board, ssh-add gives it to the agent.",
        )
    line = _telling(said)
    if status == 255 and any(reason in said for reason in _UNREACHABLE):
        return RunError(f"the board at {where} cannot be reached: {line}", remedy="Check address, port and network.")
    if status in (126, 127):
        return RunError(
            f"the board has no such Python: {line}", where=where, remedy="Name one of 3.8 or newer with --python PATH."
        )
    return RunError(f"the connection to {where} ended: {line or f'exit status {status}'}")


def fingerprints(address: Address, config: Path | None = None) -> tuple[str, ...]:
    """Return the fingerprints of the keys that the board shows now, as ssh-keygen writes them; empty if it does not."""
    seen = _resolved(address, config)
    host, port = seen.get("hostname", address.host), seen.get("port", str(address.port or 22))
    try:
        keys = subprocess.run(
            ["ssh-keyscan", "-T", "5", "-p", port, "--", host],
            capture_output=True, text=True, timeout=LOOKUP_SECONDS, check=False,
        )  # fmt: skip
        told = subprocess.run(
            ["ssh-keygen", "-lf", "-"], input=keys.stdout, capture_output=True, text=True, timeout=5, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    lines = (line.split() for line in told.stdout.splitlines())
    return tuple(f"{words[-1].strip('()')} {words[1]}" for words in lines if len(words) >= 4)


def _shown(address: Address, config: Path | None) -> str:
    """Write the fingerprint, of the best kind that the board offers."""
    found = fingerprints(address, config)
    best = next((one for one in found if one.startswith("ED25519")), found[0] if found else "")
    return f"; it shows {best}" if best else ""


def _resolved(address: Address, config: Path | None) -> dict[str, str]:
    """Return what ssh's configuration makes of the address."""
    asked = ["ssh", *_config(config), *address.options, "-G", "--", address.host]
    try:
        done = subprocess.run(asked, capture_output=True, text=True, timeout=LOOKUP_SECONDS, check=True)
    except (OSError, subprocess.SubprocessError):
        return {}
    pairs = (line.partition(" ") for line in done.stdout.splitlines())
    return {name: value for name, _, value in pairs if name in ("hostname", "port")}


def _config(config: Path | None) -> tuple[str, ...]:
    return ("-F", str(config)) if config else ()


def _known_as(address: Address) -> str:
    """Write the name under which the key is kept; other ports than 22 have brackets."""
    return shlex.quote(f"[{address.host}]:{address.port}") if address.port not in (None, 22) else address.host


def _by_hand(address: Address, config: Path | None) -> str:
    return shlex.join(("ssh", *_config(config), *address.options, address.host))


def _telling(said: str) -> str:
    """Return the last line that says something."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
