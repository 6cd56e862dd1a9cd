"""Ready-made networks worth trying in place of the original."""

from advisor.errors import KnowledgeError
from advisor.schema import ExecPath
from advisor.techniques.distil.choice import cheaper, own_size
from advisor.techniques.knowledge import load_techniques
from advisor.techniques.registry import Case
from advisor.techniques.students import student

from .step import Swap


def propose(case: Case, path: ExecPath) -> tuple[Swap, ...]:
    """Propose networks that are cheaper and, as published, no less accurate than the original.

    A less accurate one learns more from the original: that is distillation. Where the accuracy of the original is not
    published in the list, or its images are too small for published figures to tell anything, nothing is proposed.
    """
    try:
        original = student(case.workload.name)
    except KnowledgeError:
        return ()
    settings = load_techniques().techniques["swap"]
    found = cheaper(case, path, lambda s: s.top1 >= original.top1)
    epochs = int(settings.figures("epochs")[0])
    return tuple(Swap(student=f"timm:{s.name}", epochs=epochs) for s in found if own_size(s) is None)
