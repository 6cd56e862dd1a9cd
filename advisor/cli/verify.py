"""`advisor verify`: measure a run again and hold it against its predictions."""

from pathlib import Path
from typing import Annotated

import typer

from .console import progress, show_json, show_page
from .group import MISSED
from .options import Data, Json


def command(
    run_dir: Annotated[Path, typer.Argument(metavar="RUN_DIR", help="Folder that 'advisor apply' wrote.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Measure a run's artefacts again and compare with what was predicted.

    The run names its images; --data says where they are now. Exits with 4 if a measurement lies outside its predicted
    interval.
    """
    from advisor import pipeline
    from advisor.reports.markdown import to_markdown
    from advisor.reports.run import run_page
    from advisor.writing import write_text

    with progress(quiet=as_json) as bars:
        run = pipeline.verify(run_dir, data=data, progress=bars)
    page = run_page(run)
    write_text(run_dir / "report.md", to_markdown(page))
    show_json(run) if as_json else show_page(page)
    if any(verdict.hit is False for verdict in run.verdicts):
        raise typer.Exit(MISSED)
