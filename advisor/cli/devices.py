"""`advisor devices`: the device profiles."""

from typing import Annotated

import typer

from advisor.errors import GoalError, nearest

from . import complete
from .console import show_json, show_page
from .options import Json

app = typer.Typer(help="List device profiles, show one, or describe this machine.", no_args_is_help=True)


@app.command("list")
def list_all(
    kind: Annotated[
        str | None,
        typer.Option(metavar="KIND", autocompletion=complete.kinds, help=f"One of {', '.join(complete.KINDS)}."),
    ] = None,
    as_json: Json = False,
) -> None:
    """List the known devices."""
    if kind is not None and kind not in complete.KINDS:
        hint = nearest(kind, complete.KINDS) or f"Use one of {', '.join(complete.KINDS)}."
        raise GoalError(f"--kind: unknown kind {kind!r}", remedy=hint)

    from advisor.devices import list_devices
    from advisor.reports.devices import devices_page

    found = [device for device in list_devices() if kind in (None, device.kind)]
    show_json(found) if as_json else show_page(devices_page(found))


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
def detect(as_json: Json = False) -> None:
    """Describe this machine, which is the device 'host'."""
    from advisor.devices import detect_host
    from advisor.reports.devices import device_page

    device = detect_host()
    show_json(device) if as_json else show_page(device_page(device))
