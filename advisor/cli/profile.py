"""`advisor profile`: where a model's work lies."""

from typing import Annotated, Literal, cast

import typer

from advisor.errors import GoalError

from .console import progress, show_json, show_page
from .options import AllowPackage, Arch, Checkpoint, Input, Json, Model, Trust, model_options, read_count


def command(
    model: Model,
    by: Annotated[str, typer.Option(metavar="op|module", help="Group by kind of operation or by module.")] = "op",
    top: Annotated[int, typer.Option(metavar="N", help="Rows in the table.")] = 20,
    batch: Annotated[int, typer.Option(metavar="N", help="Images per inference.")] = 1,
    shape: Input = None,
    arch: Arch = None,
    checkpoint: Checkpoint = None,
    allow_package: AllowPackage = None,
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Count the operations, multiply-accumulates, parameters and bytes of MODEL."""
    if by not in ("op", "module"):
        raise GoalError(f"--by: unknown grouping {by!r}", remedy="Use op or module.")
    read_count(top, "--top")
    read_count(batch, "--batch")
    options = model_options(shape, arch, checkpoint, trust, allow_package)

    from advisor import pipeline
    from advisor.facts import model_facts
    from advisor.reports.profile import profile_page

    with progress(quiet=as_json):
        workload = pipeline.profile(model, batch=batch, **options)
    if as_json:
        show_json(workload)
    else:
        show_page(profile_page(workload, model_facts(workload), cast(Literal["op", "module"], by), top))
