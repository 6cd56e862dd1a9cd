"""`advisor apply`: carry a plan out and measure the result."""

from pathlib import Path
from typing import Annotated

import typer

from advisor.errors import DataError, GoalError

from .console import progress, show_json, show_page
from .options import (
    AllowPackage,
    Arch,
    Checkpoint,
    Data,
    Input,
    Json,
    Seed,
    Target,
    Trust,
    model_options,
    needed_target,
    read_count,
)


def command(
    plan: Annotated[
        str, typer.Argument(metavar="MODEL|PLAN.JSON", help="A stored plan, or a model to plan for first.")
    ],
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="RUN_DIR", help="Folder for the results.")] = None,
    data: Data = None,
    number: Annotated[
        int | None, typer.Option("--plan", metavar="N", help="Number of the plan; the recommended one by default.")
    ] = None,
    target: Target = None,
    shape: Input = None,
    arch: Arch = None,
    checkpoint: Checkpoint = None,
    allow_package: AllowPackage = None,
    trust: Trust = False,
    seed: Seed = 0,
    as_json: Json = False,
) -> None:
    """Carry a plan out on the model and measure it on this machine.

    Writes the compressed model, run.json and report.md into RUN_DIR.
    """
    if data is None:
        raise DataError("no images named", remedy="Give --data DIR with one folder of images per class.")
    if out is None:
        raise GoalError("no folder for the results named", remedy="Give --out RUN_DIR.")
    if not plan.endswith(".json"):
        needed_target(target)
    elif target is not None:
        raise GoalError("a stored plan already names its device", remedy="Leave --target out, or give the model.")
    read_count(number, "--plan", least=0)
    options = model_options(shape, arch, checkpoint, trust, allow_package)

    from advisor import pipeline
    from advisor.reports.markdown import to_markdown
    from advisor.reports.run import run_page
    from advisor.writing import write_text

    with progress(quiet=as_json) as bars:
        run = pipeline.apply(
            plan,
            number=number,
            data=data,
            out=out,
            target=target,
            seed=seed,
            progress=bars,
            **options,
        )
    page = run_page(run)
    write_text(out / "report.md", to_markdown(page))
    show_json(run) if as_json else show_page(page)
