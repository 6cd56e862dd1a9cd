"""Profiling a torch module: a rehearsal with the recorder watching. Knows no device and no technique."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from advisor.loading.rehearsal import rehearse, tensors_in
from advisor.schema import ModelInput, Storage, Workload

from .building import Blank, plain_dtype
from .recorder import AttentionAsOne, Recorder


def profile_module(
    module: nn.Module, inputs: tuple[ModelInput, ...], *, name: str = "", source: str = "", format: str = "torch"
) -> Workload:
    """Profile one forward pass of `module` in evaluation mode; the module itself is neither run nor changed."""
    seen: list[tuple[Recorder, tuple[int, ...]]] = []

    def watch(copied: nn.Module, args: tuple[Tensor, ...], named: dict[str, Tensor]) -> Any:
        recorder = Recorder({id(t): key for key, t in _named_tensors(copied)})
        seen.append((recorder, tuple(recorder.known(t) for t in (*args, *named.values()))))
        _follow(copied, recorder.path)
        with AttentionAsOne(recorder), recorder:
            return copied(*args, **named)

    rehearsal = rehearse(module, inputs, watch)
    recorder, examples = seen[-1]
    draft = recorder.draft
    if rehearsal.real:
        draft.notes.append(f"profiled by a pass on real zeros, since fake tensors fail: {rehearsal.why}")
    return draft.finish(
        name=name or type(module).__name__,
        source=source,
        format=format,
        inputs=examples,
        outputs=tuple(dict.fromkeys(recorder.known(t) for t in tensors_in(list(rehearsal.outputs)))),
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
