"""What keeps some weights from being an architecture, in words; the architecture is built without memory for that."""

from dataclasses import dataclass

from .fingerprint import Shapes, network_entries
from .networks import network_shapes
from .result import Recognition

_EXAMPLES = 3


@dataclass(frozen=True)
class Differences:
    """Names of entries that the network has and the weights lack, the reverse, and those of another shape."""

    arch: str
    missing: tuple[str, ...]
    surplus: tuple[str, ...]
    other_shape: tuple[str, ...]
    common: int

    @property
    def count(self) -> int:
        """The number of entries that differ."""
        return len(self.missing) + len(self.surplus) + len(self.other_shape)

    @property
    def groups(self) -> tuple[str, ...]:
        """What differs, a line for each kind of difference."""
        kinds = (("missing", self.missing), ("surplus", self.surplus), ("of another shape", self.other_shape))
        return tuple(f"{len(names)} {what} ({_some(names)})" for what, names in kinds if names)

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.arch}: {self.common} entries fit; {', '.join(self.groups) or 'no difference'}"


def differences(arch: str, shapes: Shapes) -> Differences:
    """Compare weights with an architecture of the index, entry by entry; bookkeeping is left out."""
    found, wanted = network_entries(shapes), network_entries(network_shapes(arch))
    other = [
        f"{name} {_write(found[name])} instead of {_write(shape)}"
        for name, shape in wanted.items()
        if name in found and found[name] != shape
    ]
    return Differences(
        arch,
        missing=tuple(name for name in wanted if name not in found),
        surplus=tuple(name for name in found if name not in wanted),
        other_shape=tuple(other),
        common=sum(found.get(name) == shape for name, shape in wanted.items()),
    )


def explain_candidates(recognition: Recognition, shapes: Shapes) -> tuple[Differences, ...]:
    """Spell out what differs from each of the nearest architectures, fewest differences first."""
    under = {n.removeprefix(recognition.prefix): s for n, s in shapes.items() if n.startswith(recognition.prefix)}
    found = (differences(candidate.arch, under) for candidate in recognition.candidates)
    return tuple(sorted(found, key=lambda one: one.count))


def _write(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "scalar"


def _some(names: tuple[str, ...]) -> str:
    return ", ".join(names[:_EXAMPLES]) + (", ..." if len(names) > _EXAMPLES else "")
