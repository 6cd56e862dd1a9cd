"""What a probe of the user's own model adds to the facts."""

from typing import Any

from advisor.schema import ProbeRecord, at_risk


def probe_facts(probe: ProbeRecord) -> dict[str, Any]:
    """Return the facts that were measured; they would have to be asked for otherwise."""
    found = {
        "model.weight_ch_range_ratio": probe.weight_ratio,
        "model.concat_range_ratio": probe.concat_ratio,
        "model.act_range_max": probe.act_range_max,
        "model.accuracy_pct": probe.original if probe.unit == "%" else None,
    }
    known = {name: value for name, value in found.items() if value is not None}
    return known | {"probe.layers_at_risk": frozenset(at_risk(probe.layers))}
