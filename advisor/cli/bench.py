"""`advisor bench`: measure artefacts side by side on this machine."""

from pathlib import Path
from typing import Annotated

import typer

from .console import progress, show_json, show_page
from .options import Json, read_count


def command(
    artefacts: Annotated[
        list[Path],
        typer.Argument(metavar="ARTEFACT...", help="Files (.onnx, .pt2 ...) or folders that 'advisor apply' wrote."),
    ],
    threads: Annotated[int, typer.Option("--threads", metavar="N", help="Threads of the runtime.")] = 1,
    rounds: Annotated[
        int | None, typer.Option("--rounds", metavar="N", help="Rounds; without it 7, and more on a busy machine.")
    ] = None,
    runtime: Annotated[
        str | None, typer.Option("--runtime", metavar="NAME", help="Runtime that opens the files.")
    ] = None,
    memory: Annotated[bool, typer.Option("--memory/--no-memory", help="Measure peak memory as well.")] = True,
    as_json: Json = False,
) -> None:
    """Measure artefacts side by side: every round runs all of them, and the first is the baseline.

    Of a run's folder, its shipped file is measured, and its original too where it stands alone. With one thread CPU
    time counts, with several the wall clock. Where the ratios of medians and of minima differ by over 10 %, the
    answer is marked as inconclusive.
    """
    read_count(threads, "--threads")
    from advisor.measurement.bench import bench
    from advisor.onboard.artefacts import entrants
    from advisor.reports.bench import bench_page

    with progress(quiet=as_json) as bars:
        chosen = entrants(tuple(artefacts), runtime)
        found = bench(chosen, threads, rounds=rounds, memory=memory, progress=bars)
    show_json(found) if as_json else show_page(bench_page(found))
