"""`advisor identify`: what a model file is, and what can be done with it."""

from .console import progress, show_json, show_page
from .options import AllowPackage, Arch, Batch, Checkpoint, Input, Json, Model, Trust, model_options, read_count


def command(
    model: Model,
    batch: Batch = 1,
    shape: Input = None,
    arch: Arch = None,
    checkpoint: Checkpoint = None,
    allow_package: AllowPackage = None,
    trust: Trust = False,
    as_json: Json = False,
) -> None:
    """Say what MODEL is: kind of file, architecture, input, task, and what can be done with it.

    Weights of a network that is not known are shown with the architectures that come nearest.
    """
    read_count(batch, "--batch")
    options = model_options(shape, arch, checkpoint, trust, allow_package)

    from advisor import pipeline
    from advisor.reports.intake import intake_page

    with progress(quiet=as_json):
        found = pipeline.identify(model, batch=batch, **options)
    show_json(found) if as_json else show_page(intake_page(found))
