"""Completion of names in the shell."""

from collections.abc import Iterable

GOALS = ("balanced", "latency", "size", "memory", "energy", "accuracy")
BUDGETS = ("none", "calibration", "finetune", "train")
KINDS = (
    "x86",
    "computer",
    "sbc",
    "gpu-soc",
    "gpu-card",
    "npu-accelerator",
    "camera-soc",
    "phone",
    "mcu",
    "mcu-npu",
    "fpga",
)


def goals(incomplete: str) -> list[str]:
    """Complete the name of a goal."""
    return _starting(GOALS, incomplete)


def budgets(incomplete: str) -> list[str]:
    """Complete the name of a budget."""
    return _starting(BUDGETS, incomplete)


def kinds(incomplete: str) -> list[str]:
    """Complete the kind of a device."""
    return _starting(KINDS, incomplete)


def devices(incomplete: str) -> list[str]:
    """Complete the id of a device."""
    from advisor.devices import list_devices

    return _starting(("host", *(device.id for device in list_devices())), incomplete)


def vendors(incomplete: str) -> list[str]:
    """Complete the maker of a device."""
    from advisor.devices import list_devices

    return _starting(dict.fromkeys(device.vendor for device in list_devices()), incomplete)


def rules(incomplete: str) -> list[str]:
    """Complete the id of a rule."""
    from advisor.rules import load_rules

    return _starting((rule.id for rule in load_rules().rules), rule_id(incomplete))


def rule_id(text: str) -> str:
    """Write a rule's id as the rule base does: hw-05A is HW-05a."""
    return text[:2].upper() + text[2:].lower()


def groups(incomplete: str) -> list[str]:
    """Complete the group of a rule."""
    from advisor.rules import load_rules

    return _starting(dict.fromkeys(rule.group for rule in load_rules().rules), incomplete)


def techniques(incomplete: str) -> list[str]:
    """Complete the name of a technique."""
    import advisor.techniques  # noqa: F401 - registers them
    from advisor.techniques.registry import all_techniques

    return _starting((technique.name for technique in all_techniques()), incomplete)


def _starting(names: Iterable[str], incomplete: str) -> list[str]:
    return [name for name in names if name.startswith(incomplete)]
