"""Names of the probabilities that come with a predicted accuracy."""

from collections.abc import Mapping


def named_risks(found: Mapping[float, float]) -> dict[str, float]:
    """Name probabilities of losing more than so many points as reports show them."""
    return {f"loses more than {points:g} point{'s' if points != 1 else ''}": round(p, 3) for points, p in found.items()}
