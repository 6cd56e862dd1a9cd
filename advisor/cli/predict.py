"""`advisor predict`: a table of questions in, a table of latencies or accuracies out."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .console import progress, show_json, show_page
from .options import Json


class Asked(StrEnum):
    """What a table asks for."""

    LATENCY = "latency"
    ACCURACY = "accuracy"


def command(
    table: Annotated[
        Path,
        typer.Argument(metavar="TABLE", help="CSV (or .csv.gz) with model or arch, and what is known else."),
    ],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the rows with their predictions here.")
    ] = None,
    metric: Annotated[
        Asked, typer.Option("--metric", help="Latency on a device, or change in accuracy by a technique.")
    ] = Asked.LATENCY,
    as_json: Json = False,
) -> None:
    """Predict every row of TABLE: latency in ms, or the change in accuracy in points, with interval and basis.

    Latency: device; arch (timm:resnet50) or model (a file or a known name); unit, threads, runtime, precision, batch,
    input (1x3x224x224), metric; params_m and macs_g for networks whose layers are not known. Where the table has
    latency_ms, too, the summary compares.

    Accuracy: arch or model, technique (ptq_static, qat, prune_structured, ...); task, dataset, metric, setting
    (bits_w=8;bits_a=8;flops_ratio=0.5;finetuned=1), toolkit, baseline. Adds the change (low, mid, high), the
    probabilities of losing more than 1 and 5 points, the basis and the nearest published cases. Where the table has
    delta, too, the summary compares.
    """
    if metric is Asked.ACCURACY:
        _accuracies(table, output, as_json)
    else:
        _latencies(table, output, as_json)


def _latencies(table: Path, output: Path | None, as_json: bool) -> None:
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


def _accuracies(table: Path, output: Path | None, as_json: bool) -> None:
    from advisor.bulk.accuracy import predict_accuracies, summarised
    from advisor.reports.accuracies import accuracies_page

    with progress(quiet=as_json) as listener:
        lines = predict_accuracies(table, output, progress=listener)
    summary = summarised(lines)
    if as_json:
        rows = [line.added for line in lines] if output is None else []
        show_json({**summary.model_dump(), "output": str(output) if output else None, "rows": rows})
    else:
        show_page(accuracies_page(lines, summary, output))
