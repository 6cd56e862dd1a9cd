"""The multiple that widths and ranks are rounded to on a path."""

from advisor.schema import Device, ExecPath

from .knowledge import load_techniques


def channel_multiple(device: Device, path: ExecPath) -> int:
    """Return what the path states, else 16 for NPUs and int8 tensor cores, else 8 (AL-01)."""
    known = load_techniques().alignment
    if path.restrictions.channel_alignment:
        return path.restrictions.channel_alignment
    if path.unit in ("npu", "dla"):
        return known.npu
    if path.unit == "gpu" and device.gpu is not None and device.gpu.tensor_cores and "int8" in path.precisions:
        return known.int8_tensor_cores
    return known.default
