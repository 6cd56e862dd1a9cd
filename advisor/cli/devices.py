"""`advisor devices`: the device profiles."""

from typing import Annotated

import typer

from advisor.errors import DeviceError, GoalError, nearest

from . import calibrate, complete
from .console import show_json, show_page
from .options import Json, one_of

app = typer.Typer(help="List device profiles, show one, describe or calibrate this machine.", no_args_is_help=True)


app.command("calibrate")(calibrate.command)


@app.command("list")
def list_all(
    kind: Annotated[
        str | None,
        typer.Option(metavar="KIND", autocompletion=complete.kinds, help=f"One of {', '.join(complete.KINDS)}."),
    ] = None,
    vendor: Annotated[
        str | None, typer.Option(metavar="VENDOR", autocompletion=complete.vendors, help="Only this maker, as listed.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the known devices, by kind."""
    if kind is not None:
        one_of(kind, complete.KINDS, "--kind")

    from advisor.devices import list_devices
    from advisor.reports.devices import devices_page

    known = list_devices()
    makers = {_plain(device.vendor): device.vendor for device in known}
    if vendor is not None and _plain(vendor) not in makers:
        hint = nearest(_plain(vendor), makers) or f"Use one of {', '.join(sorted(makers.values(), key=str.lower))}."
        raise GoalError(f"--vendor: no profile of {vendor!r}", remedy=hint)
    found = [d for d in known if kind in (None, d.kind) and (vendor is None or _plain(d.vendor) == _plain(vendor))]
    show_json(found) if as_json else show_page(devices_page(found))


def _plain(vendor: str) -> str:
    """Write 'Raspberry Pi' and 'raspberry-pi' alike."""
    return vendor.strip().lower().replace(" ", "-")


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(metavar="NAME", autocompletion=complete.devices, help="Id, alias, or a .yaml profile.")
    ],
    as_json: Json = False,
) -> None:
    """Show one device with the source of every figure."""
    from advisor.devices import load_device
    from advisor.reports.devices import device_page

    device = load_device(name)
    show_json(device) if as_json else show_page(device_page(device))


@app.command()
def check(as_json: Json = False) -> None:
    """Check every profile, the user's own included, and the aliases; exit code 2 where one is wrong."""
    from advisor.devices import check_devices
    from advisor.reports.devices import check_page

    checked = check_devices()
    problems = [{"what": p.what, "where": p.where, "remedy": p.remedy} for p in checked.problems]
    report = {"profiles": checked.profiles, "aliases": checked.aliases, "problems": problems}
    show_json(report) if as_json else show_page(check_page(checked))
    if checked.problems:
        raise typer.Exit(DeviceError.exit_code)


@app.command()
def detect(as_json: Json = False) -> None:
    """Describe this machine, which is the device 'host'."""
    from advisor.devices import detect_host
    from advisor.reports.devices import device_page

    device = detect_host()
    show_json(device) if as_json else show_page(device_page(device))
