"""Three techniques carried out on one network, each checked against the float model. Used by benchmarks/sweep.py."""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from artefacts import executed
from sweep_bench import Bench, Outcome, Refused, answers, carried_out, file_answers, in_8_bits, said, sqnr
from sweep_low_rank import low_rank
from sweep_pruning import pruned

from advisor.errors import AdvisorError
from advisor.techniques.static_int8.step import StaticInt8

CALIBRATION = 64


def int8(bench: Bench) -> Outcome:
    """Quantize to static int8 and compare the outputs of both files; count the integer kernels that really run."""
    subject = replace(bench.subject, onnx=bench.float_file, module=None)
    _, change = carried_out(StaticInt8(signedness="u8s8", calibration_images=CALIBRATION), subject)
    assert change.onnx is not None
    wanted, found = (file_answers(path, bench.tested) for path in (bench.float_file, change.onnx))
    kernels = [node["op"] for node in executed(change.onnx)]
    integer = sum("QLinear" in kind or "Integer" in kind or kind in ("QGemm", "QAttention") for kind in kernels)
    if found.shape != wanted.shape or not np.isfinite(found).all():
        raise AssertionError(f"outputs {found.shape}, finite: {np.isfinite(found).all()}")
    if not integer:
        raise AssertionError("no integer kernel runs")
    return {
        "sqnr_db": sqnr(wanted, found),
        "carried_db": sqnr(bench.wanted, answers(bench.module, [in_8_bits(batch) for batch in bench.tested])),
        "kernels_db": sqnr(file_answers(change.onnx, bench.tested, plainly=True), found),
        "cosine": round(float((wanted * found).sum() / np.linalg.norm(wanted) / np.linalg.norm(found)), 4),
        "integer_kernels": integer,
        "kernels": len(kernels),
        "size": round(change.onnx.stat().st_size / bench.float_file.stat().st_size, 3),
    }


TECHNIQUES: dict[str, Callable[[Bench], Outcome]] = {"int8": int8, "pruned": pruned, "low_rank": low_rank}


def check(name: str, wanted: tuple[str, ...]) -> dict[str, Any]:
    """Carry out the techniques on a network: works, refused with a reason, or failed."""
    with tempfile.TemporaryDirectory() as place:
        bench = Bench(name, Path(place))
        if not np.isfinite(bench.wanted).all():
            raise AssertionError("the network itself answers with infinities")
        spread = float(bench.wanted.std(axis=0).mean() / max(np.abs(bench.wanted).mean(), 1e-12))
        found: dict[str, Any] = {
            "macs": bench.workload.macs, "params": bench.workload.params,
            "side": bench.shape[-1], "spread": round(spread, 4),
        }  # fmt: skip
        for technique in wanted:
            found[technique] = _outcome(TECHNIQUES[technique], bench)
    return found


def _outcome(technique: Callable[[Bench], Outcome], bench: Bench) -> dict[str, Any]:
    try:
        return {"state": "works", **technique(bench)}
    except (AdvisorError, Refused) as error:
        return {"state": "refused", "why": said(error) if isinstance(error, AdvisorError) else str(error)}
    except Exception as error:  # any other way to end is a defect, which the table must show
        return {"state": "failed", "why": f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"}
