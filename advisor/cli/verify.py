"""`advisor verify`: measure a run again and hold it against its predictions."""

from pathlib import Path
from typing import Annotated

import typer

from advisor.errors import GoalError

from .console import progress, show_json, show_page
from .group import MISSED
from .options import Data, Json, NoRecord, Outcomes, read_count

BOARD = "On a board"
REPORT, BOARD_REPORT = "report.md", "report-board.md"


def command(
    run_dir: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="Folder that 'advisor apply' wrote.")],
    data: Data = None,
    measured: Annotated[
        Path | None,
        typer.Option("--measured", metavar="FILE", help="What the board measured: results.json of 'bench-kit'."),
    ] = None,
    on: Annotated[
        str | None,
        typer.Option("--on", metavar="ssh://USER@HOST", help="Measure on this board.", rich_help_panel=BOARD),
    ] = None,
    install: Annotated[
        bool,
        typer.Option("--install", help="Let pip put a runtime into the temporary folder there.", rich_help_panel=BOARD),
    ] = False,
    python: Annotated[
        str, typer.Option("--python", metavar="PATH", help="Python on the board.", rich_help_panel=BOARD)
    ] = "python3",
    threads: Annotated[
        int | None, typer.Option("--threads", metavar="N", help="Other than predicted.", rich_help_panel=BOARD)
    ] = None,
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="30m", help="For the whole of it.", rich_help_panel=BOARD)
    ] = "30m",
    ssh_config: Annotated[
        Path | None, typer.Option("--ssh-config", metavar="FILE", help="Instead of your own.", rich_help_panel=BOARD)
    ] = None,
    no_record: NoRecord = False,
    outcomes: Outcomes = None,
    as_json: Json = False,
) -> None:
    """Measure a run's artefacts again and compare with what was predicted.

    The run names its images; --data says where they are now. With --on a board measures, over ssh, with --measured it
    has measured already, and the prediction for that board is judged. Exits with 4 if a measurement lies outside its
    predicted interval.
    """
    read_count(threads, "--threads")
    if sum(given is not None for given in (data, measured, on)) > 1:
        raise GoalError("--data, --measured and --on exclude one another", remedy="Give one of them.")
    if on is None and (install or threads is not None or ssh_config is not None):
        raise GoalError("--install, --threads and --ssh-config belong to --on", remedy="Give --on ssh://user@host.")

    from advisor import pipeline
    from advisor.onboard import Board
    from advisor.onboard.address import read_address
    from advisor.reports.markdown import to_markdown
    from advisor.reports.run import run_page
    from advisor.units import parse_quantity
    from advisor.writing import write_text

    board = on and Board(
        address=read_address(on),
        python=python,
        install=install,
        config=ssh_config,
        timeout=parse_quantity(timeout, "s", "--timeout"),
        threads=threads,
    )
    with progress(quiet=as_json) as bars:
        run = pipeline.verify(
            run_dir,
            data=data,
            measured=measured,
            board=board or None,
            record=not no_record,
            outcomes=outcomes,
            progress=bars,
        )
    page = run_page(run)
    write_text(run_dir / (REPORT if board is None and measured is None else BOARD_REPORT), to_markdown(page))
    show_json(run) if as_json else show_page(page)
    if any(verdict.hit is False for verdict in run.verdicts):
        raise typer.Exit(MISSED)
