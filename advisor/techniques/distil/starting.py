"""What a ready-made network starts from: random weights, those that timm publishes, or a file."""

from pathlib import Path
from typing import Any, NamedTuple

from advisor.errors import AdvisorError, NotApplicable
from advisor.techniques.students import student
from advisor.techniques.subject import Change, Subject

from .building import Built, build_student
from .preview import ReadyMade, fitted, outputs

RANDOM, PRETRAINED = "random", "pretrained"


class Started(NamedTuple):
    """A network with its first weights, and what is known of them.

    `answers`: the classifier came along and tells apart as many classes; otherwise it is random. `normalised`: mean and
    deviation of the images that the weights were trained on, by channel, where their publisher says so.
    """

    module: Any
    said: str
    answers: bool = False
    normalised: tuple[tuple[float, ...], tuple[float, ...]] | None = None


def intended(step: ReadyMade, subject: Subject) -> Built:
    """Return what is built in place of the original: a network of the list, with its classes and colours."""
    if subject.module is None or subject.workload is None:
        raise NotApplicable(f"{step.technique} needs the torch module, not an ONNX file")
    classes = outputs(subject.workload)
    if classes is None or classes < 2:
        raise NotApplicable(
            f"{step.technique} gives classifiers; the output of this network is no list of classes",
            remedy=f"Choose a plan without {step.technique}.",
        )
    entry = fitted(step, subject.workload)
    return Built(student=entry.name, classes=classes, channels=entry.channels, size=entry.size)


def put_in(begun: Started, built: Built, subject: Subject) -> Change:
    """Return the change from the original to the network that was begun."""
    shape = (subject.input_shape[0], built.channels, built.size, built.size)
    return Change(
        done=f"built {built.student} with {begun.said} for {built.classes} classes and images of "
        f"{built.size}x{built.size}",
        module=begun.module,
        details={**built.model_dump(exclude={"joined"}), "weights": begun.said, "classifier_kept": begun.answers},
        input_shape=None if shape == subject.input_shape else shape,
        built=built.model_copy(update={"joined": True}).model_dump(),
    )


def started(built: Built, weights: str) -> Started:
    """Return the network with these weights; its stem is adapted to the colours, its classifier to the classes.

    NotApplicable where timm's weights cannot be had; ModelLoadError where a file does not fit.
    """
    if weights == RANDOM:
        return Started(build_student(built), "random weights")
    return _published(built) if weights == PRETRAINED else _from_file(built, Path(weights))


def _published(built: Built) -> Started:
    entry = student(built.student)
    name = f"{entry.name}.{entry.tag}" if entry.tag else entry.name
    try:
        module = _create(name, built)
    except Exception as error:  # the hub's client raises what its transport raises
        raise NotApplicable(
            f"the weights that timm publishes for {name} cannot be had here",
            where=f"{type(error).__name__}: {' '.join(str(error).split())[:200]}",
            remedy="Connect to the Hugging Face hub, or download them elsewhere and give the file: 'weights: PATH'.",
        ) from error
    config = module.pretrained_cfg
    answers = config.get("num_classes") == entry.classes == built.classes
    return Started(module, f"timm's weights {name}", answers, (tuple(config["mean"]), tuple(config["std"])))


def _from_file(built: Built, path: Path) -> Started:
    from advisor.loading import load

    entry = student(built.student)
    try:
        source = load(str(path), arch=f"timm:{entry.name}", input_shape=(1, built.channels, built.size, built.size))
    except AdvisorError:
        source = load(str(path), arch=f"timm:{entry.name}")  # weights for other colours say their own input
    if source.module is None or source.random_weights or source.classes is None:
        raise NotApplicable(
            f"{path} holds no weights of {entry.name}",
            remedy="Give a state dict of that timm network as .safetensors or .pt.",
        )
    module = _create(
        entry.name,
        built,
        state_dict=source.module.state_dict(),
        num_classes=source.classes,
        input_size=source.input_shape[1:],
        label_offset=0,
    )
    return Started(module, f"the weights of {path.name}", source.classes == built.classes)


def _create(name: str, built: Built, **described: Any) -> Any:
    """Let timm fit weights to the network: pretrained ones, or those described."""
    import timm
    import torch

    sized = _sized(name, built)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)  # of a new classifier
        return timm.create_model(
            name,
            pretrained=True,
            num_classes=built.classes,
            in_chans=built.channels,
            pretrained_cfg_overlay=described or None,
            **sized,
        ).eval()


def _sized(name: str, built: Built) -> dict[str, Any]:
    """Tell networks of one size the size of their images."""
    import timm

    config = timm.models.get_pretrained_cfg(name)
    fixed = config is not None and config.fixed_input_size
    return {"img_size": (built.size, built.size)} if fixed else {}
