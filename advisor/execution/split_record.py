"""Which image played which part, kept in a run, so that the same images are found again whatever form the data have."""

import json
from pathlib import Path
from typing import Any

from advisor.errors import DataError, RunError
from advisor.schema import DataRecord
from advisor.writing import write_text

from .data import DataSplit
from .items import Item
from .sources import list_data
from .tasks import Agreement, Classification

FILE = "split.json"
MOST_BYTES = 2**30  # of a split.json; a million images take some 50 MB


def store_split(data: DataSplit, folder: Path, seed: int) -> Path:
    """Write split.json: the name and label of every image by part."""
    parts = {part: [[item.name, item.label] for item in items] for part, items in data.parts.items()}
    fields = {"origin": data.origin, "form": data.form, "seed": seed, "classes": data.classes, "parts": parts}
    path = folder / FILE
    write_text(path, json.dumps(fields, ensure_ascii=False, separators=(",", ":")) + "\n")
    return path


def reopen(record: DataRecord, folder: Path, data: Any = None) -> DataSplit:
    """Open the data of a run again and give every image the part that it had; `data` says where they are now.

    Raises DataError where an image is gone or has become another.
    """
    stored, listing = _read(folder), list_data(record.origin if data is None else data)
    known = {item.name: item for item in listing.items}
    parts: dict[str, tuple[Item, ...]] = {}
    for part in ("train", "selection", "calibration", "test"):
        found = [known.get(name) for name, _ in stored[part]]
        gone = [name for (name, label), item in zip(stored[part], found, strict=True)
                if item is None or item.label != label]  # fmt: skip
        if gone:
            raise DataError(
                f"{len(gone)} images of the run are gone or have another label, {gone[0]} first",
                where=listing.origin,
                remedy="Restore the images, or say with --data where they are.",
            )
        parts[part] = tuple(item for item in found if item is not None)
    split = DataSplit(
        listing.origin,
        listing.classes,
        parts["train"],
        parts["calibration"],
        parts["test"],
        selection=parts["selection"],
        form=listing.form,
        task=listing.task or (Classification() if listing.labelled else Agreement()),
    )
    if split.digest != record.digest:
        raise DataError(f"the images in {listing.origin} are no longer those of the run", remedy="Restore the images.")
    return split


def _read(folder: Path) -> dict[str, list[tuple[str, int]]]:
    path = folder / FILE
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ValueError("it is over 1 GiB")
        fields: Any = json.loads(path.read_text(encoding="utf-8"))
        return {part: [(str(name), int(label)) for name, label in items] for part, items in fields["parts"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise RunError(f"{FILE} cannot be read: {error}", where=str(path), remedy="Apply the plan again.") from error
