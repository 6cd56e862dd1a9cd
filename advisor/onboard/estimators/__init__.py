"""Vendors' estimators, by name: each is one file, other packages bring theirs as entry points `advisor.estimators`."""

from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol, cast

from advisor.errors import NotApplicable
from advisor.schema import Device, VendorEstimate

_OWN = {"vela": "Vela"}
GROUP = "advisor.estimators"


class Estimator(Protocol):
    """A tool of a vendor that estimates without a board. `name` is that of the runtime in plans."""

    name: str

    def version(self) -> str:
        """Version of the tool; NotApplicable with a remedy where it is not installed."""

    def estimate(self, file: Path, device: Device) -> VendorEstimate:
        """Run the tool on a file for a device; AdvisorError where it cannot."""


def estimator_for(device: Device) -> Estimator:
    """Return the estimator of one of the device's runtimes."""
    others = {entry.name: entry for entry in entry_points(group=GROUP)}
    for path in sorted(device.paths, key=lambda path: not path.preferred):
        if path.runtime in _OWN:
            return cast(Estimator, getattr(import_module(f".{path.runtime}", __name__), _OWN[path.runtime])())
        if path.runtime in others:
            return cast(Estimator, others[path.runtime].load()())
    known = ", ".join(sorted((*_OWN, *others)))
    raise NotApplicable(
        f"no vendor's estimator is known for {device.id}", remedy=f"There are estimators for these runtimes: {known}."
    )
