"""From weights to the network that they belong to: the one that is named, or the one that is recognised."""

from dataclasses import replace
from math import prod

from torch import Tensor

from advisor.errors import ModelLoadError, UnknownNetwork
from advisor.schema import Intake, Near

from .architectures import Settings, architecture, build
from .checkpoints import fill, inside
from .finish import finish
from .model import LoadedModel
from .recognition import Level, Recognition, recognise_weights
from .recognition.differences import explain_candidates
from .request import Origin, Request

Weights = dict[str, Tensor]


def from_weights(weights: Weights, arch: str | None, request: Request, origin: Origin, hint: str) -> LoadedModel:
    """Build the network and fill it; without `arch` it is recognised, with `hint` where several fit alike."""
    if arch is not None:
        named = str(architecture(arch))
        module = build(named, weights=weights, input_shape=request.shape, trust=request.trust)
        notes = (*origin.notes, *fill(module, weights, origin.files[0], named))
        return finish(module, request, replace(origin, arch=named, recognised="named", notes=notes))
    shapes = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    found = recognise_weights(shapes, hint)
    under = inside(weights, found.prefix)
    # Weights in another naming fit all architectures of the same shapes; only one has a translation for the names.
    tried = (found.arch, *found.twins) if found.level is Level.RENAMED else (found.arch,)
    for candidate in tried if found.found else ():
        wanted = _wanted(found)
        try:
            module = build(candidate, weights=under, input_shape=request.shape, wanted=wanted)
            notes = (*origin.notes, *_aside(found), *fill(module, under, origin.files[0], candidate))
        except ModelLoadError:
            if candidate != tried[-1]:
                continue
            if found.level is Level.RENAMED:
                break
            raise
        twins = tuple(
            one for one in (found.arch, *found.twins) if one != candidate and found.level is not Level.RENAMED
        )
        origin = replace(origin, arch=candidate, recognised=in_words(found), twins=twins, notes=notes)
        return finish(module, request, origin)
    raise _unknown(found, shapes, origin)


def _wanted(found: Recognition) -> Settings:
    """Return what recognition read off weights that are not in the network's own naming."""
    if found.level is not Level.RENAMED:
        return Settings()
    return Settings(classes=found.classes, channels=found.channels)


def in_words(found: Recognition) -> str:
    """Say how well the weights fit: 'exact', 'exact but for 7 classes'."""
    deviations = found.deviations
    if found.level is Level.RENAMED:
        return f"other names, same shapes{f': {deviations}' if deviations else ''}"
    return f"exact but for {deviations}" if deviations else "exact"


def _aside(found: Recognition) -> tuple[str, ...]:
    notes = []
    if found.prefix:
        notes.append(f"the network lies under {found.prefix!r}")
    if found.aside:
        notes.append("left aside: " + ", ".join(f"{group} ({count} tensors)" for group, count in found.aside))
    return tuple(notes)


def _unknown(found: Recognition, shapes: dict[str, tuple[int, ...]], origin: Origin) -> UnknownNetwork:
    named = (found.arch, *found.twins)[:3] if found.found else ()
    near = tuple(
        Near(
            arch=one.arch,
            similarity=one.common / max(one.common + len(one.surplus) + len(one.other_shape), 1),
            differs=one.groups,
        )
        for one in explain_candidates(found.nearest_to(named), shapes)
    )
    closest = f"; nearest: {', '.join(one.arch for one in near)}" if near else ""
    intake = Intake(
        name=origin.name,
        source=origin.source,
        kind=origin.kind,
        format="weights",
        nearest=near,
        tensors=len(shapes),
        parameters=sum(map(prod, shapes.values())),
        bytes=origin.files[0].stat().st_size,
        notes=origin.notes,
    )
    return UnknownNetwork(
        intake,
        what=f"the file holds {len(shapes)} weights of a network that is not recognised",
        where=f"{origin.source}: {', '.join(list(shapes)[:3])}, ...{closest}",
        remedy="Name it with --arch timm:NAME or --arch python:MODULE:FUNCTION --trust; "
        "'advisor identify FILE' shows what differs.",
    )
