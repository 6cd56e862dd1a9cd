"""How architectures are written: `SOURCE:NAME`, or the bare name of a timm or torchvision network."""

from dataclasses import dataclass

import timm
from torchvision.models import list_models

from advisor.errors import ModelLoadError, nearest

from ..sources import SOURCES


@dataclass(frozen=True)
class Architecture:
    """A source and a name that it knows."""

    source: str
    name: str

    def __str__(self) -> str:
        return f"{self.source}:{self.name}"


def architecture(text: str) -> Architecture:
    """Read an architecture and check its name where that costs nothing; bare names are looked up in timm first."""
    source, colon, name = text.strip().partition(":")
    if not colon:
        bare = timm.is_model(source) or source not in torchvision_names()
        return architecture(f"{'timm' if bare else 'torchvision'}:{source}")
    if source not in SOURCES:
        raise ModelLoadError(
            f"networks cannot be built from {source!r}",
            where=text,
            remedy=nearest(source, SOURCES) or f"Write {', '.join(SOURCES.values())}.",
        )
    if source == "timm":
        return Architecture(source, timm_name(text))
    if source == "torchvision" and name not in torchvision_names():
        raise ModelLoadError(
            f"torchvision has no network called {name!r}",
            where=text,
            remedy=nearest(name, torchvision_names()) or "List them with torchvision.models.list_models().",
        )
    if not name:
        raise ModelLoadError("the name of the network is missing", where=text, remedy=f"Write {SOURCES[source]}.")
    return Architecture(source, name)


def timm_name(arch: str) -> str:
    """Return the name without its `timm:` prefix, checked against timm's lists of networks and tags."""
    name = arch.removeprefix("timm:").strip()
    base, _, tag = name.partition(".")
    if not name or ":" in name or "/" in name or not timm.is_model(name):
        hint = nearest(base, (*timm.list_models(), *torchvision_names())) if base else ""
        raise ModelLoadError(
            f"timm has no network called {name!r}",
            where=f"timm {timm.__version__}",
            remedy=hint or "List the names with python -c 'import timm; print(*timm.list_models())'.",
        )
    if tag:
        _check_tag(base, tag)
    return name


def _check_tag(base: str, tag: str) -> None:
    try:
        timm.models.get_pretrained_cfg(f"{base}.{tag}")
    except RuntimeError as error:
        tags = sorted(full.partition(".")[2] for full in timm.list_pretrained(f"{base}.*"))
        raise ModelLoadError(
            f"timm knows no weights called {tag!r} of {base}",
            where=f"timm {timm.__version__}",
            remedy=nearest(tag, tags) or (f"It knows {', '.join(tags)}." if tags else "It knows none."),
        ) from error


def torchvision_names() -> tuple[str, ...]:
    """Return torchvision's networks for single images in floating point."""
    # Quantized twins share their names and carry integer weights; video and optical flow take several images.
    several = ("mc3_18", "mvit_", "r2plus1d_", "r3d_", "raft_", "s3d", "swin3d_", "quantized_")
    return tuple(name for name in list_models() if not name.startswith(several))


def names_like(text: str) -> str:
    """Return how a bare name of a network is written in full; empty where there is none of that name."""
    found = [f"timm:{text}"] * timm.is_model(text) + [f"torchvision:{text}"] * (text in torchvision_names())
    return " or ".join(found)
