"""The state of a training after an epoch in one file, written whole or not at all and read without running code."""

import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advisor.errors import RunError
from advisor.writing import write_bytes

from .hardware import accelerator
from .updates import Lesson

_ANEW = "Start anew with --restart."


@dataclass(frozen=True)
class Checkpoint:
    """Where a training is stored; `key` tells trainings apart, `writes` is unset in helping processes."""

    path: Path
    key: str
    writes: bool = True


def keep(lesson: Lesson, checkpoint: Checkpoint) -> None:
    """Store everything that the rest of the training depends on."""
    import torch

    if not checkpoint.writes:
        return
    scaler = accelerator().scaler
    state = {
        "key": checkpoint.key,
        "module": lesson.module.state_dict(),
        "objective": lesson.objective.state_dict(),
        "best": lesson.kept,
        "optimizer": lesson.optimizer.state_dict(),
        "scaler": None if scaler is None else scaler.state_dict(),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        "numpy": json.dumps(lesson.random.bit_generator.state),
        "progress": {name: getattr(lesson, name) for name in _PROGRESS},
    }
    content = io.BytesIO()  # torch hides an error of the disk behind one of its own
    torch.save(state, content)
    write_bytes(checkpoint.path, content.getvalue())


def at_epoch(checkpoint: Checkpoint) -> dict[str, Any] | None:
    """Return the stored state, None where nothing is stored."""
    import pickle

    import torch

    if not checkpoint.path.is_file():
        return None
    try:
        state: dict[str, Any] = torch.load(checkpoint.path, map_location="cpu", weights_only=True)
        mine = state["key"] == checkpoint.key
    except (OSError, RuntimeError, ValueError, KeyError, TypeError, EOFError, pickle.UnpicklingError) as error:
        raise RunError("the checkpoint cannot be read", where=str(checkpoint.path), remedy=_ANEW) from error
    if not mine:
        raise RunError("the checkpoint is one of another training", where=str(checkpoint.path), remedy=_ANEW)
    return state


def go_back(lesson: Lesson, state: dict[str, Any]) -> None:
    """Bring a training that was set up anew to where it was."""
    import torch

    try:
        lesson.module.load_state_dict(state["module"])
        lesson.objective.load_state_dict(state["objective"])
        lesson.optimizer.load_state_dict(state["optimizer"])
        if state["scaler"] is not None and accelerator().scaler is not None:
            accelerator().scaler.load_state_dict(state["scaler"])
        lesson.random.bit_generator.state = json.loads(state["numpy"])
        for name in _PROGRESS:
            setattr(lesson, name, state["progress"][name])
    except (RuntimeError, ValueError, KeyError, TypeError) as error:
        raise RunError("the checkpoint does not fit the network", remedy=_ANEW) from error
    lesson.kept = state["best"]
    torch.set_rng_state(state["torch"])
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state["cuda"])


_PROGRESS = ("update", "before", "best", "best_epoch", "history", "micro")
