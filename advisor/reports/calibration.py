"""The page of a calibration: what it is worth, and the costs that were found."""

from advisor.schema.calibration import Calibration
from advisor.units import three

from .page import Column, Facts, Items, Page, Table, filled


def calibration_page(found: Calibration, path: str) -> Page:
    """Show the errors on networks left out, and the costs of the operations that were seen most."""
    return Page(
        "Calibration", filled((_facts(found, path), _errors(found), _costs(found), Items(found.remarks, "Remarks")))
    )


def _facts(found: Calibration, path: str) -> Facts:
    spread = ", ".join(f"{n} thread{'s' * (n > 1)} {value:.2f}" for n, value in found.clock_spread.items())
    return Facts((
        ("CPU", found.cpu),
        ("runtime", f"{found.runtime} {found.runtime_version}"),
        ("date", found.date),
        ("timings", str(found.samples)),
        ("load average", found.machine.get("load_average", "unknown")),
        ("clock spread", f"{spread} (90 % over 10 % quantile of a reference network)"),
        ("written to", path),
    ))  # fmt: skip


def _errors(found: Calibration) -> Table:
    columns = (
        Column("form"), Column("threads", right=True), Column("networks", right=True), Column("mean error", right=True),
        Column("within 10 %", right=True), Column("80 % interval", right=True),
    )  # fmt: skip
    rows = tuple(
        (e.form.replace("_", " "), str(e.threads), str(e.n), f"{e.mean_error:.1%}", f"{e.within_10:.0%}",
         f"x {e.low:.2f} to {e.high:.2f}")
        for e in found.errors
    )  # fmt: skip
    return Table(columns, rows, "Errors on networks left out of the fit")


def _costs(found: Calibration) -> Table:
    columns = (
        Column("operation", wrap=True), Column("us per MMAC", right=True), Column("us per M elements", right=True),
        Column("us per call", right=True), Column("seen", right=True),
    )  # fmt: skip
    single = found.tables[0]
    rows = tuple(
        (cost.name, three(cost.mmacs * 1e3), three((cost.read_m + cost.written_m) * 1e3), three(cost.calls * 1e3),
         str(cost.n))
        for cost in sorted(single.costs, key=lambda cost: -cost.n)
    )  # fmt: skip
    return Table(columns, rows, f"Costs with {single.threads} thread")
