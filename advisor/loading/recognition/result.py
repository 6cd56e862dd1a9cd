"""What recognition finds, in records and in words."""

from dataclasses import dataclass, replace
from enum import StrEnum


class Level(StrEnum):
    """How well the weights fit the architecture, best first."""

    EXACT = "exact"
    HEAD = "up to the classifier"  # or the input channels
    SIZE = "up to the image size"
    RENAMED = "renamed"
    NEAREST = "not recognised"


class Classifier(StrEnum):
    """What became of the classifier."""

    DESIGNED = "as published"
    CLASSES = "with another number of classes"
    ABSENT = "absent"
    OWN = "replaced by layers of its own"


@dataclass(frozen=True)
class Candidate:
    """An architecture that is like the weights; `similarity` is the estimated share of common entries or shapes."""

    arch: str
    similarity: float
    same_names: bool  # every layer is there, in other widths: pruned, or another width multiplier

    def __str__(self) -> str:
        how = "the same layers in other widths" if self.same_names else f"about {self.similarity:.0%} in common"
        return f"{self.arch} ({how})"


@dataclass(frozen=True)
class Recognition:
    """The architecture of some weights.

    `arch` is what to build, empty where nothing fits; `twins` cannot be told from it by names and shapes. `classes` is
    0 without a classifier and None where unknown; `image_size` is set where it is not the architecture's own and can
    be derived. `prefix` stands before the names of the network's entries; what `aside` lists (group, number of
    entries) does not belong to the network.
    """

    level: Level
    arch: str = ""
    twins: tuple[str, ...] = ()
    classifier: Classifier = Classifier.DESIGNED
    classes: int | None = None
    channels: int | None = None
    other_channels: bool = False
    image_size: int | None = None
    prefix: str = ""
    aside: tuple[tuple[str, int], ...] = ()
    share: float = 1.0  # of all elements, what lies under the prefix
    candidates: tuple[Candidate, ...] = ()

    @property
    def found(self) -> bool:
        """Tell whether an architecture was found."""
        return bool(self.arch)

    def __str__(self) -> str:
        """Say it in one sentence."""
        if not self.found:
            near = ", ".join(map(str, self.candidates))
            return f"no known architecture; nearest: {near}" if near else "no known architecture"
        renamed = "other names with the same shapes" if self.level is Level.RENAMED else ""
        said = ", ".join(filter(None, (renamed, self.deviations)))
        parts = [f"{self.arch}, recognised by the names and shapes of its weights{f': {said}' if said else ''}"]
        if self.prefix:
            parts.append(f"under {self.prefix!r}")
        if self.aside:
            listed = ", ".join(f"{group} ({count})" for group, count in self.aside)
            parts.append(f"left aside {listed}")
        return "; ".join(parts)

    @property
    def deviations(self) -> str:
        """What differs from the architecture as published, in words."""
        found = []
        if self.classifier is Classifier.CLASSES:
            found.append(f"{self.classes} classes")
        elif self.classifier is not Classifier.DESIGNED:
            found.append(f"classifier {self.classifier}")
        if self.other_channels:
            found.append(f"{self.channels} input channels")
        if self.level is Level.SIZE:
            found.append(f"images of {self.image_size} x {self.image_size}" if self.image_size else "other image size")
        return ", ".join(found)

    def nearest_to(self, named: tuple[str, ...]) -> "Recognition":
        """Return this with other candidates: architectures that fit by shape and turned out not to be it."""
        if not named:
            return self
        return replace(self, candidates=tuple(Candidate(arch, 0.0, same_names=False) for arch in named))
