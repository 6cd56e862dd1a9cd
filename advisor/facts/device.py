"""Facts about the device and about one of its execution paths."""

from itertools import pairwise
from typing import Any

from advisor.schema import Device, ExecPath, Figure, Op, OpKind, Workload

_SILENT = frozenset({OpKind.VIEW, OpKind.OTHER, OpKind.QUANTIZE})


def _value(figure: Figure | None, factor: float = 1.0) -> float | None:
    return None if figure is None else figure.value * factor


def device_facts(device: Device) -> dict[str, Any]:
    """Return the `dev.*` facts of a profile."""
    memory, gpu, cpu = device.memory, device.gpu, device.cpu
    facts: dict[str, Any] = {
        "dev.id": device.id,
        "dev.kind": device.kind,
        "dev.vendor": device.vendor.lower(),
        "dev.is_host": device.id == "host",
        "dev.os": device.os,
        "dev.cpu_arch": cpu.arch if cpu else None,
        "dev.isa": frozenset(cpu.isa) if cpu else None,
        "dev.cores": frozenset(core.name.lower() for core in cpu.cores) if cpu and cpu.cores else None,
        "dev.cuda_cc": gpu.cuda_cc if gpu else None,
        "dev.tensor_cores": gpu.tensor_cores if gpu else False,
        "dev.sparse24": gpu.sparse_2_4 if gpu else False,
        "dev.ram_bytes": _value(memory.capacity_mb, 1e6),
        "dev.bw": _value(memory.sustained_gbs) or _value(memory.bandwidth_gbs),
        "dev.on_chip_bytes": _value(memory.on_chip_kb, 1024),
        "dev.sram_bytes": _value(memory.sram_kb, 1024),
        "dev.flash_bytes": _value(memory.flash_kb, 1024),
        "dev.power_w": _value(device.power.typical_w),
        "dev.confidence": device.confidence,
        "dev.has_npu": any(p.unit in ("npu", "dla") for p in device.paths),
        "dev.has_gpu": any(p.unit == "gpu" for p in device.paths),
    }
    return {name: value for name, value in facts.items() if value is not None}


def _ratio(path: ExecPath, above: str, below: str) -> float | None:
    top, bottom = path.peak_gmacs.get(above), path.peak_gmacs.get(below)  # type: ignore[call-overload]
    return top.value / bottom.value if top and bottom and bottom.value else None


def is_supported(op: Op, path: ExecPath) -> bool:
    """Whether the unit executes this operation, as far as the profile says."""
    names = path.restrictions.unsupported
    return op.kind.value not in names and str(op.attrs.get("function", "")) not in names


def path_facts(workload: Workload, path: ExecPath) -> dict[str, Any]:
    """Return the `rt.*` facts: what the path offers and how much of this workload it would not execute."""
    rules = path.restrictions
    working = [op for op in workload.ops if op.kind not in _SILENT]
    refused = [op for op in working if not is_supported(op, path)]
    macs = sum(op.macs for op in working) or 1
    states = [is_supported(op, path) for op in working]
    facts: dict[str, Any] = {
        "rt.name": path.runtime,
        "rt.unit": path.unit,
        "rt.precisions": frozenset(path.precisions),
        "rt.default_float": path.default_float,
        "rt.integer_only": rules.integer_only,
        "rt.int8_mac_ratio": _ratio(path, "int8", path.default_float),
        "rt.int8_fp32_ratio": _ratio(path, "int8", "fp32"),
        "rt.fp16_mac_ratio": _ratio(path, "fp16", "fp32"),
        "rt.weight_gran": frozenset(rules.weight_granularity) or None,
        "rt.act_symmetric_only": rules.activation_symmetric,
        "rt.po2_scales": rules.power_of_two_scales,
        "rt.ch_align": rules.channel_alignment,
        "rt.sparse_kernels": frozenset(rules.sparse_kernels),
        "rt.static_shapes": rules.static_shapes,
        "rt.weight_capacity": rules.weight_capacity,
        "rt.unsupported_mac_share": sum(op.macs for op in refused) / macs,
        "rt.unsupported_ops": frozenset(str(op.attrs.get("function") or op.kind.value) for op in refused),
        "rt.graph_cuts": sum(a != b for a, b in pairwise(states)),
        "rt.partitions": path.unit in ("npu", "dla", "gpu"),
        "rt.signedness": frozenset(rules.signedness) or None,
    }
    return {name: value for name, value in facts.items() if value is not None}
