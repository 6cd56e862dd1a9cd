"""Reading what layers of a network put out, or read, during a forward pass."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor


class Taps:
    """Outputs of named layers, or their inputs, as of the last forward pass; no part of any module's state."""

    def __init__(self, module: Any, names: Sequence[str], *, inputs: bool = False) -> None:
        """Put a hook on every layer of these names."""
        self.seen: dict[str, Tensor] = {}
        self._hooks = [self._on(module.get_submodule(name), name, inputs) for name in names]

    def _on(self, layer: Any, name: str, inputs: bool) -> Any:
        def read(_: Any, given: tuple[Any, ...]) -> None:
            self.seen[name] = given[0]

        def written(_: Any, __: Any, output: Any) -> None:
            self.seen[name] = output

        return layer.register_forward_pre_hook(read) if inputs else layer.register_forward_hook(written)

    def take(self) -> dict[str, Tensor]:
        """Return what was seen and forget it, so that nothing is held between batches."""
        seen, self.seen = self.seen, {}
        return seen

    def close(self) -> None:
        """Take the hooks off."""
        for hook in self._hooks:
            hook.remove()
        self._hooks, self.seen = [], {}
