"""A run measured on a board over SSH: packed, sent, measured, judged, and nothing left behind."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from advisor.progress import Progress, Silent
from advisor.schema import RunRecord

from . import ssh
from .address import Address
from .judge import judged
from .kit import write_kit
from .results import checked
from .talk import remote_command, talk

SECONDS = 1800.0


@dataclass(frozen=True)
class Board:
    """A board, and what may be done on it."""

    address: Address
    python: str = "python3"  # 3.8 or newer, with the runtime that is to be used
    install: bool = False  # a runtime, into the temporary folder
    config: Path | None = None  # of ssh, in place of the user's own
    timeout: float = SECONDS
    threads: int | None = None
    rounds: int | None = None


def verify_on(run_dir: Path, board: Board, progress: Progress | None = None) -> RunRecord:
    """Return the record of a run with what the board measured; nothing is written here, nothing left there."""
    with tempfile.TemporaryDirectory(prefix="advisor-") as folder:
        kit = Path(folder) / "kit.zip"
        write_kit(run_dir, kit, threads=board.threads, rounds=board.rounds)
        fields = talk(
            ssh.command(board.address, remote_command(board.python), board.config),
            kit,
            (),
            install=board.install,
            timeout=board.timeout,
            explain=lambda status, said: ssh.explained(board.address, status, said, board.config),
            progress=progress or Silent(),
            place=str(board.address),
        )
    return judged(run_dir, checked(fields, str(board.address)), str(board.address))
