"""Plans: an ordered tuple of steps carried out for one runtime and execution unit of a device.

A technique brings its own `Step` subclass (`advisor/techniques/<name>/step.py`); subclasses register themselves by
their `technique` name, so that stored plans can be read back and other packages can add techniques.
"""

from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, SerializeAsAny, computed_field

from .base import Record


class Step(Record):
    """One technique with its settings. Subclasses set the class variable `technique`."""

    technique: ClassVar[str] = ""
    registry: ClassVar[dict[str, type["Step"]]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Register the subclass under its technique name."""
        super().__init_subclass__(**kwargs)
        if not cls.technique:
            return
        known = Step.registry.get(cls.technique)
        if known is not None and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"technique {cls.technique!r} is registered twice: {known} and {cls}")
        Step.registry[cls.technique] = cls

    @computed_field  # type: ignore[prop-decorator]
    @property
    def name(self) -> str:
        """The technique's name, written into stored plans."""
        return self.technique

    @property
    def label(self) -> str:
        """A short human name: 'int8 static', 'prune 30 % of channels'."""
        return self.technique


def _read_step(value: Any) -> Any:
    if isinstance(value, Step) or not isinstance(value, dict):
        return value
    fields = dict(value)
    name = fields.pop("name", None)
    if name not in Step.registry:
        raise ValueError(f"unknown technique {name!r}; known: {', '.join(sorted(Step.registry))}")
    return Step.registry[name].model_validate(fields)


AnyStep = Annotated[SerializeAsAny[Step], BeforeValidator(_read_step)]


class Plan(Record):
    """What to do and where the result will run.

    `runtime` and `unit` name an execution path of the device (see `Device.paths`); `threads` is None where the runtime
    decides. No steps and runtime "pytorch" is "change nothing", no steps elsewhere "change the runtime only".
    """

    steps: tuple[AnyStep, ...] = ()
    runtime: str
    unit: str = "cpu"
    threads: int | None = None

    @property
    def techniques(self) -> tuple[str, ...]:
        """Technique names in order."""
        return tuple(step.technique for step in self.steps)

    @property
    def label(self) -> str:
        """A short human name: 'prune 30 % of channels + int8 static'."""
        if self.steps:
            return " + ".join(step.label for step in self.steps)
        return "change nothing" if self.runtime == "pytorch" else "change the runtime only"

    @property
    def path(self) -> str:
        """Runtime and unit: 'tensorrt/gpu'."""
        return f"{self.runtime}/{self.unit}"
