"""Profiling a torch module: a rehearsal with the recorder watching. Knows no device and no technique."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from advisor.loading.rehearsal import Rehearsal, rehearse, tensors_in
from advisor.schema import Storage, Workload

from .building import Blank, plain_dtype
from .recorder import AttentionAsOne, Recorder


def profile_module(module: nn.Module, input_shape: tuple[int, ...], *, name: str = "", source: str = "") -> Workload:
    """Profile one forward pass of `module` in evaluation mode; the module itself is neither run nor changed."""
    seen: list[tuple[Recorder, Tensor]] = []

    def watch(copied: nn.Module, example: Tensor) -> Any:
        recorder = Recorder({id(t): key for key, t in _named_tensors(copied)})
        seen.append((recorder, example))
        recorder.known(example)
        _follow(copied, recorder.path)
        with AttentionAsOne(recorder), recorder:
            return copied(example)

    rehearsal = rehearse(module, input_shape, watch)
    recorder, example = seen[-1]
    return _workload(module, recorder, example, rehearsal, name or type(module).__name__, source)


def _workload(
    module: nn.Module, recorder: Recorder, example: Tensor, rehearsal: Rehearsal, name: str, source: str
) -> Workload:
    draft = recorder.draft
    if rehearsal.real:
        draft.notes.append(f"profiled by a pass on real zeros, since fake tensors fail: {rehearsal.why}")
    outputs = tuple(dict.fromkeys(recorder.known(t) for t in tensors_in(list(rehearsal.outputs))))
    return draft.finish(
        name=name,
        source=source,
        format="torch",
        inputs=(0,),
        outputs=outputs,
        weights=_blanks(module),
        modules={path: type(child).__name__ for path, child in module.named_modules()},
    )


def _named_tensors(module: nn.Module) -> list[tuple[str, Tensor]]:
    return [*module.named_parameters(), *module.named_buffers()]


def _blanks(module: nn.Module) -> list[Blank]:
    """List parameters (shared ones once) and buffers with their dtypes."""
    parameters = {id(p) for p in module.parameters()}
    return [
        Blank(key, tuple(t.shape), counted=id(t) in parameters, storage=Storage(dtype=plain_dtype(str(t.dtype))))
        for key, t in _named_tensors(module)
    ]


def _follow(module: nn.Module, path: list[str]) -> None:
    """Keep the path of the module that is running as the last entry of `path`."""

    def enter(name: str) -> Callable[..., None]:
        return lambda *_: path.append(name)

    def leave(*_: Any) -> None:
        path.pop()

    for name, child in module.named_modules():
        child.register_forward_pre_hook(enter(name))
        child.register_forward_hook(leave, always_call=True)
