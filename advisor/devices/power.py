"""Power modes: the same device with fewer cores, lower clocks and a smaller budget. Pure functions of a profile.

Arithmetic peaks scale with clocks and units that stay on, bandwidths with the memory clock. What the profile does not
say about a mode is unknown in that mode: a peak that cannot be scaled is dropped, not kept.
"""

from advisor.errors import DeviceError
from advisor.schema import Core, Device, ExecPath, Figure, PowerMode


def in_power_mode(device: Device, wanted: str) -> Device:
    """Return the device in a power mode, named ('MAXN', '5W') or by its watts ('5', '7.5')."""
    mode, usual = _find(device, wanted), _default(device)
    if mode == usual:
        return _chosen(device, mode)
    if usual is None or (mode.cpu_ghz is None and mode.gpu_ghz is None):
        raise DeviceError(
            f"the profile of {device.name} does not state the clocks of power mode {mode.name}",
            where=f"{device.id}: power.modes", remedy="Leave the mode out, or add its clocks to a profile of your own.",
        )  # fmt: skip
    cores = _cores(device, mode)
    changed = {
        "cpu": None if device.cpu is None else device.cpu.model_copy(update={"cores": cores}),
        "paths": tuple(_path(path, device, mode, usual, cores) for path in device.paths),
        "memory": _memory(device, mode, usual),
    }
    return _chosen(device.model_copy(update=changed), mode)


def _find(device: Device, wanted: str) -> PowerMode:
    modes, text = device.power.modes, wanted.strip().lower()
    named = [m for m in modes if m.name.lower() == text]
    watts = text.removesuffix("w").strip()
    if not named and watts.replace(".", "", 1).isdigit():
        named = [m for m in modes if m.watts == float(watts)]
    if named:
        return named[0]
    known = ", ".join(m.name for m in modes)
    raise DeviceError(
        f"{device.name} has no power mode {wanted!r}", where=f"{device.id}: power.modes",
        remedy=f"Use one of {known}." if known else "The profile states no power modes; leave the option out.",
    )  # fmt: skip


def _default(device: Device) -> PowerMode | None:
    return next((m for m in device.power.modes if m.default), None)


def _chosen(device: Device, mode: PowerMode) -> Device:
    """Note the mode; power under load was stated for the usual one."""
    power = device.power.model_copy(update={"mode": mode.name, "typical_w": None if not mode.default else
                                            device.power.typical_w})  # fmt: skip
    return device.model_copy(update={"power": power})


def _cores(device: Device, mode: PowerMode) -> tuple[Core, ...]:
    """Keep the first cores, at the mode's clock where it is lower."""
    left = mode.cores or sum(core.count for core in device.cpu.cores) if device.cpu is not None else 0
    kept: list[Core] = []
    for core in device.cpu.cores if device.cpu is not None else ():
        count = min(core.count, left)
        left -= count
        if count:
            kept.append(core.model_copy(update={"count": count, "freq_ghz": _clock(core.freq_ghz, mode)}))
    return tuple(kept)


def _clock(usual: Figure | None, mode: PowerMode) -> Figure | None:
    if mode.cpu_ghz is None or (usual is not None and usual.value <= mode.cpu_ghz):
        return usual
    return Figure(value=mode.cpu_ghz, source=mode.source, formula=f"power mode {mode.name}")


def _path(path: ExecPath, device: Device, mode: PowerMode, usual: PowerMode, cores: tuple[Core, ...]) -> ExecPath:
    share = _share(path.unit, device, mode, usual, cores)
    if share is None:
        return path.model_copy(update={"peak_gmacs": {}})
    peaks = {precision: _scaled(figure, share, mode) for precision, figure in path.peak_gmacs.items()}
    threads = path.threads if path.threads is None or path.unit != "cpu" else min(path.threads, _count(cores))
    return path.model_copy(update={"peak_gmacs": peaks, "threads": threads})


def _share(unit: str, device: Device, mode: PowerMode, usual: PowerMode, cores: tuple[Core, ...]) -> float | None:
    """Return what is left of the unit's arithmetic, or None where the clocks are not known."""
    if unit == "cpu":
        before, after = (_speed(these) for these in (device.cpu.cores if device.cpu else (), cores))
        return None if not before or after is None else after / before
    if unit == "gpu":
        if mode.gpu_ghz is None or not usual.gpu_ghz:
            return None
        units = (mode.gpu_units or 1) / (usual.gpu_units or 1) if mode.gpu_units and usual.gpu_units else 1.0
        return mode.gpu_ghz / usual.gpu_ghz * units
    if unit == "dla":
        return mode.dla_ghz / usual.dla_ghz if mode.dla_ghz and usual.dla_ghz else None
    return None


def _speed(cores: tuple[Core, ...]) -> float | None:
    """Sum of cores x GHz, or None where a clock is missing."""
    clocks = [(core.count, core.freq_ghz) for core in cores]
    if any(clock is None for _, clock in clocks):
        return None
    return sum(count * clock.value for count, clock in clocks if clock is not None)


def _count(cores: tuple[Core, ...]) -> int:
    return sum(core.count for core in cores)


def _scaled(figure: Figure, share: float, mode: PowerMode) -> Figure:
    basis = "assumed" if figure.basis == "assumed" else "derived"
    formula = f"{figure.value:g} x {share:.3g} in power mode {mode.name}"
    return Figure(value=figure.value * share, basis=basis, source=figure.source, formula=formula)


def _memory(device: Device, mode: PowerMode, usual: PowerMode) -> object:
    memory = device.memory
    if mode.memory_ghz is None or not usual.memory_ghz or mode.memory_ghz >= usual.memory_ghz:
        return memory
    share = mode.memory_ghz / usual.memory_ghz
    names = ("bandwidth_gbs", "sustained_gbs")
    slower = {name: _scaled(figure, share, mode) for name in names if (figure := getattr(memory, name)) is not None}
    return memory.model_copy(update=slower)
