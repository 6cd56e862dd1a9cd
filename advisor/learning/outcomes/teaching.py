"""A device with what its outcomes teach: where recommendations meet the store."""

from advisor.errors import AdvisorError
from advisor.schema import Device
from advisor.units import counted

from .places import file_of, place_of

LATEST = 3000  # outcomes that are read; those of other devices count where they tell of size and accuracy


def taught(device: Device, named: str | None = None) -> tuple[Device, tuple[str, ...]]:
    """Return a device with its lessons, and notes for people; without outcomes the device as it is.

    A store that cannot be read is no obstacle: the note says so. In another power mode than the profile's nothing is
    taught, because outcomes do not tell their mode.
    """
    place = place_of(named)
    if place is None or device.power.mode is not None:
        return device, ()
    file = file_of(place)
    if file is not None and not file.is_file():
        return device, ()
    try:
        from .lessons import learn
        from .store import Store

        calibrated = device.calibration.date if device.calibration is not None else ""
        found = learn(Store(place).read(latest=LATEST), device.id, device.soc, calibrated)
    except AdvisorError as error:
        return device, (f"Predictions do without earlier outcomes: {error.what}. {error.remedy}".rstrip(),)
    except ImportError as error:
        return device, (f"Predictions do without earlier outcomes: {error}.",)
    if not found.lessons:
        return device, ()
    aside = f"; {counted(len(found.doubts), 'figure')} set aside" if found.doubts else ""
    note = f"Predictions rest on {counted(found.outcomes, 'earlier outcome')} too{aside} ('advisor history accuracy')."
    return device.model_copy(update={"lessons": found.lessons}), (note,)
