"""What does not run as a reader would expect, in words."""

from .runtime import Placement, Runtime

NAMED = 4  # operations that are named


def fallbacks(placement: Placement, runtime: Runtime, *, quantized: bool) -> tuple[str, ...]:
    """Say which heavy operations of an int8 file stay float, what slow kernels do, and what is computed in 16 bits."""
    said = []
    if quantized and placement.heavy_float:
        total = placement.heavy_int8 + placement.heavy_float
        said.append(
            f"{placement.heavy_float} of {total} convolutions and products of the int8 file run in float in "
            f"{runtime.name}."
        )
    if placement.elsewhere:
        count = sum(placement.elsewhere.values())
        first = ", ".join(sorted(placement.elsewhere, key=lambda name: -placement.elsewhere[name])[:NAMED])
        said.append(f"{count} operations run outside of {runtime.name}'s fast kernels: {first}.")
    half = placement.arithmetic.get("bf16", 0) + placement.arithmetic.get("f16", 0)
    if half:
        said.append(f"{half} convolutions and products are computed in 16 bits.")
    return tuple(said)
