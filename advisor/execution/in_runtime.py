"""The files of a run in the runtime that measures it: made from the ONNX files, both or none."""

from collections.abc import Iterator
from pathlib import Path

from advisor.errors import NotApplicable
from advisor.facts import plan_precision
from advisor.measurement.size import artefact
from advisor.progress import Progress
from advisor.runtimes import Runtime
from advisor.runtimes.agreement import compare_outputs, refuse_others
from advisor.runtimes.apart import check_survives
from advisor.schema import Artefact, Plan

from .trials import Pair

_OWN = ("onnxruntime", "pytorch")  # their files are what the steps leave


def check_accepts(runtime: Runtime, plan: Plan) -> None:
    """Refuse, before anything is done, a plan whose arithmetic the runtime's files cannot hold.

    So is one whose runtime lacks the environment of its converter.
    """
    precision = plan_precision(plan)
    if (converter := getattr(runtime, "converter", None)) is not None:
        converter.needed()
    if runtime.name in _OWN or precision in runtime.arithmetic:
        return
    raise NotApplicable(
        f"{runtime.name} has no {precision} files here",
        remedy=f"It takes {', '.join(runtime.arithmetic)}. Choose such a plan, or another runtime.",
    )


def in_runtime(pair: Pair, runtime: Runtime, progress: Progress) -> Pair:
    """Return the pair as files of a runtime, beside those that it was made of."""
    if runtime.name == pair.runtime.name:
        return pair
    progress.start(f"convert for {runtime.name}", 2)
    made = []
    for path in (pair.baseline, pair.shipped):
        made.append(runtime.convert(path, path.with_suffix(runtime.suffix)))
        check_survives(made[-1], runtime.name, pair.threads)
        progress.advance()
    progress.finish()
    reference = pair.runtime.load(pair.baseline, pair.threads)
    same = compare_outputs(reference, runtime.load(made[0], pair.threads), inputs=1)
    refuse_others(same, runtime.name, pair.baseline.name)
    return Pair(made[0], made[1], runtime, pair.threads)


def pair_artefacts(pair: Pair, baseline: Path, shipped: Path, precision: str) -> Iterator[Artefact]:
    """Describe the two files that are measured, what belongs to them, and the ONNX files that they were made of."""
    sources = {"baseline": (pair.baseline, baseline, "fp32"), "shipped": (pair.shipped, shipped, precision)}
    for role, (path, source, kind) in sources.items():
        first, *others = pair.runtime.files(path)
        yield artefact(first, path.parent, role, kind)
        yield from (artefact(other, path.parent, f"{role}-data", "") for other in others)
        if source != path:
            yield artefact(source, path.parent, f"{role}-onnx", kind)
