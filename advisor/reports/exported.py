"""The page of `advisor export`: what was made, whether it computes the same, and where its operations run."""

from typing import TYPE_CHECKING

from . import words
from .page import Column, Facts, Items, Line, Page, Span, Table, filled

if TYPE_CHECKING:
    from advisor.runtimes.exporting import Exported

MOST = 12  # operations that are listed


def exported_page(made: "Exported") -> Page:
    """Lay out what was exported."""
    agreement = made.agreement
    pairs: tuple[tuple[str, Line], ...] = (
        ("made from", made.source),
        ("files", "; ".join(f"{file.path} ({words.megabytes(file.bytes)})" for file in made.files)),
        ("input", words.shape(made.input_shape)),
        ("took", f"{made.seconds:.1f} s"),
        (
            "outputs",
            f"differ from onnxruntime's by {agreement.largest:.3g} at most and {agreement.mean:.2g} on average; the "
            f"largest is {agreement.scale:.3g} ({agreement.inputs} random inputs, {agreement.same_first} with the same "
            "largest output)",
        ),
        ("computes in", _arithmetic(made)),
    )
    operations = sorted(made.operations.items(), key=lambda item: (-item[1], item[0]))
    rows = tuple((name, str(count)) for name, count in operations[:MOST])
    rest = sum(count for _, count in operations[MOST:])
    table = Table(
        (Column("operation"), Column("count", right=True)),
        rows,
        title="What runs after loading",
        note=f"And {rest} of {len(operations) - MOST} other kinds." if rest else "",
    )
    notes = Items(tuple(Span(note, "warn") for note in made.notes), "Notes")
    return Page(f"{made.runtime} {made.version}", filled((Facts(pairs), table, notes)))


def _arithmetic(made: "Exported") -> str:
    kinds = made.arithmetic or {"int8": made.heavy_int8, "float": made.heavy_float}
    told = ", ".join(f"{count} in {kind}" for kind, count in sorted(kinds.items()) if count)
    return f"{told or 'none'} (convolutions and products); {made.boundaries} quantize and cast nodes"
