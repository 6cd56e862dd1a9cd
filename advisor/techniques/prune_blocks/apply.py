"""Taking whole blocks out of a copy of the module; recovery is not done here."""

import copy
from typing import Any

from advisor.errors import NotApplicable
from advisor.schema import Workload
from advisor.techniques.recovery import training_of
from advisor.techniques.subject import Change, Need, Stage, Subject

from .preview import candidates, how_many, named, preview
from .step import PruneBlocks

STAGE: Stage = "torch"


def needs(step: PruneBlocks) -> Need:
    """Tell which data the step cannot do without: labels for training; images to choose by are welcome."""
    return "labels" if step.epochs > 0 else "nothing"


def training(step: PruneBlocks) -> dict[str, Any]:
    """Return how the training after a cut differs from fine-tuning."""
    return training_of(step.recovery, step.epochs)


def resolve(step: PruneBlocks, subject: Subject) -> PruneBlocks:
    """Return the step with the blocks that go."""
    from .choosing import drawn, least_needed

    if step.blocks:
        return step
    blocks = candidates(step, _workload(subject))
    choose = drawn if step.criterion == "random" else least_needed
    count = how_many(step, blocks)
    gone = choose(subject.module, blocks, count, subject) if count else ()
    if not gone:
        raise NotApplicable(
            "prune_blocks finds no block that can go",
            where=f"{step.ratio:.0%} of {len(blocks)} blocks whose input passes them by and keeps its shape"
            + ("; the network reads more of them than their result" if count else ", rounded, is none"),
            remedy="Ask for a larger share, or prune channels instead.",
        )
    return step.model_copy(update={"blocks": gone})


def apply(step: PruneBlocks, subject: Subject) -> Change:
    """Return a copy of the module in which the chosen blocks hand on what they get."""
    from advisor.techniques.checking import check_built

    from .choosing import change, images, outputs
    from .skip import skip

    workload = _workload(subject)
    step = resolve(step, subject)
    blocks = candidates(step, workload)
    named(step, blocks)
    module = copy.deepcopy(subject.module).cpu().eval()
    batches = list(images(subject))
    original = outputs(module, batches)
    for path in step.blocks:
        skip(module, path)
    after = preview(step, workload)
    check_built("prune_blocks", module, subject.input_shape, after)
    macs, params = 1 - after.macs / workload.macs, 1 - after.params / workload.params
    return Change(
        done=f"dropped {len(step.blocks)} of {len(blocks)} blocks ({', '.join(step.blocks)}): {macs:.0%} of MACs and "
        f"{params:.0%} of parameters removed",
        module=module,
        details={
            "blocks": list(step.blocks),
            "output_change": round(change(original, outputs(module, batches)), 6),
            "measured_on": "noise" if subject.calibration is None else "calibration images",
        },
    )


def _workload(subject: Subject) -> Workload:
    if subject.module is None or subject.workload is None:
        raise NotApplicable("prune_blocks needs the torch module, not an ONNX file")
    return subject.workload
