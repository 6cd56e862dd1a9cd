"""`advisor predict`: a table of questions in, a table of latencies out."""

from pathlib import Path
from typing import Annotated

import typer

from .console import progress, show_json, show_page
from .options import Json


def command(
    table: Annotated[
        Path,
        typer.Argument(metavar="TABLE", help="CSV (or .csv.gz) with device, model or arch, and what is known else."),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the rows with their predictions here.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Predict the latency of every row of TABLE: low, mid, high in ms, basis and confidence, or why not.

    Columns: device; arch (timm:resnet50) or model (a file or a known name); unit, threads, runtime, precision, batch,
    input (1x3x224x224), metric; params_m and macs_g for networks whose layers are not known. Where the table has
    latency_ms, too, the summary compares.
    """
    from advisor.bulk import predict_table
    from advisor.bulk.summary import summarised
    from advisor.reports.predictions import predictions_page

    with progress(quiet=as_json) as listener:
        lines = predict_table(table, output, progress=listener)
    summary = summarised(lines)
    if as_json:
        rows = [line.added for line in lines] if output is None else []
        show_json({**summary.model_dump(), "output": str(output) if output else None, "rows": rows})
    else:
        show_page(predictions_page(lines, summary, output))
