"""Dividing images into train, selection, calibration and test: stratified, disjoint, the same for the same seed."""

import hashlib
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from advisor.errors import DataError
from advisor.schema import DataFacts, DataRecord

from .items import Item, Listing
from .sources import list_data
from .tasks import Agreement, Classification, Task

HELD_OUT_SHARE = 0.25  # of images without a test split: share kept for the test
CALIBRATION_SHARE = 0.15  # of the remaining images without a calibration split, at most CALIBRATION_CAP
CALIBRATION_CAP = 512
CALIBRATION_FLOOR = 100  # what vendors ask for at least (rule CA-01a); of few images at most CALIBRATION_MOST
CALIBRATION_MOST = 1 / 3
SELECTION_SHARE = 0.1  # of the remaining training images, to choose epochs and settings by
SEARCH_SHARE = 0.3  # the same for a search, which compares many settings by it and needs to tell them apart
SEARCH_CAP = 2000  # with so many, the standard error of a loss is some tenths of a point
UNREADABLE_LIMIT = 0.01  # share of images that may fail to decode before the data are refused


@dataclass(frozen=True)
class DataSplit:
    """Images by their part, all disjoint: `selection` chooses epochs and settings, `test` judges the result alone.

    Without labels there is nothing to train on, and `test` says how alike two networks answer. `origin` are the data in
    the words of `--data`.
    """

    origin: str
    classes: tuple[str, ...]
    train: tuple[Item, ...]
    calibration: tuple[Item, ...]
    test: tuple[Item, ...]
    notes: tuple[str, ...] = ()
    selection: tuple[Item, ...] = ()
    form: str = "folder"
    task: Task = field(default_factory=Classification, compare=False)
    own_selection: bool = False  # the images came with a part for it; else it is taken from the others

    @property
    def record(self) -> DataRecord:
        """The record stored with a run."""
        return DataRecord(
            origin=self.origin,
            form=self.form,
            **self.task.described(),
            classes=self.classes,
            **{name: len(items) for name, items in self.parts.items()},
            digest=self.digest,
        )

    @property
    def parts(self) -> dict[str, tuple[Item, ...]]:
        """Every part by its name."""
        return {
            "train": self.train,
            "selection": self.selection,
            "calibration": self.calibration,
            "test": self.test,
        }

    @property
    def labelled(self) -> bool:
        """Whether the test can say how accurate a network is."""
        return any(item.label >= 0 for item in self.test)

    @cached_property
    def digest(self) -> str:
        """SHA-256 over part, name, label and content of every image; of files the content is their size."""
        lines = [
            f"{part}\t{item.name}\t{item.origin.fingerprint(item)}\t{item.label}"
            for part, items in self.parts.items()
            for item in items
        ]
        return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def data_facts(data: Any) -> DataFacts:
    """Count what the data offer, divided as `open_data` divides them, without decoding an image."""
    listing = list_data(data)
    split = split_images(listing, 0)
    return DataFacts(
        images=len(listing.items),
        labelled=sum(item.label >= 0 for item in listing.items),
        calibration=len(split.calibration),
        train=len(split.train),
        test=len(split.test) if split.labelled else 0,
        classes=len(listing.classes) or None,
    )


def for_search(data: DataSplit, seed: int) -> DataSplit:
    """Return the split with more images to choose settings by, taken from the training ones."""
    wanted = min(SEARCH_CAP, round(SEARCH_SHARE * (len(data.train) + len(data.selection))))
    return _more_to_choose_by(data, "train", wanted, seed + 3)


def for_probe(data: DataSplit, seed: int) -> DataSplit:
    """Return the split with images to judge plans by before any of them is carried out.

    A part that came for validation is that; else they are taken from the training images, and where none bears a label
    up to half of the calibration images.
    """
    if data.own_selection:
        return data
    if data.labelled:
        return for_search(data, seed)
    wanted = min(SEARCH_CAP, (len(data.calibration) + len(data.selection)) // 2)
    return _more_to_choose_by(data, "calibration", wanted, seed + 4)


def _more_to_choose_by(data: DataSplit, part: str, wanted: int, seed: int) -> DataSplit:
    """Return the split with so many selection images, those that lack drawn from a part."""
    items, lacking = data.parts[part], wanted - len(data.selection)
    if lacking <= 0:
        return data
    drawn, rest = draw(items, lacking / len(items), None, seed)
    changed: dict[str, Any] = {part: rest, "selection": tuple(sorted((*data.selection, *drawn)))}
    return replace(data, **changed)


def open_data(data: Any, outputs: int | None, seed: int = 0) -> DataSplit:
    """List, check and divide data of any form for a model with `outputs` classes (None: unknown)."""
    listing = list_data(data)
    if listing.task is None:
        _check_head(listing, outputs)
    readable, notes = _drop_unreadable(listing)
    if outputs is not None and listing.labelled and listing.task is None and len(listing.classes) < outputs:
        notes += (
            f"the data have {len(listing.classes)} classes, the model {outputs} outputs: classes are taken in order "
            "for the first outputs (a classes.txt beside folders or lists names all outputs)",
        )
    return split_images(readable, seed, notes)


def split_images(listing: Listing, seed: int, notes: tuple[str, ...] = ()) -> DataSplit:
    """Divide a listing; given parts are respected, what is missing is drawn from the training images."""
    parts = dict(listing.parts)
    train, calibration = listing.loose + parts.get("train", ()), parts.get("calibration", ())
    selection, test = parts.get("validation", ()), parts.get("test", ())
    if not test:
        selection, test = (), selection
    if listing.labelled:
        train, test, selection = (tuple(i for i in part if i.label >= 0) for part in (train, test, selection))
    if not test:
        test, train = draw(train, HELD_OUT_SHARE, None, seed)
    if not listing.labelled:
        calibration, train = calibration + train, ()
        if not selection and not parts.get("calibration"):
            selection, calibration = draw(calibration, SELECTION_SHARE, None, seed + 2)
    if not calibration:
        share = max(CALIBRATION_SHARE, min(CALIBRATION_MOST, CALIBRATION_FLOOR / max(1, len(train))))
        calibration, train = draw(train, share, CALIBRATION_CAP, seed + 1)
    own = bool(selection) and (listing.labelled or bool(parts.get("validation")))
    if not selection:
        selection, train = draw(train, SELECTION_SHARE, None, seed + 2)
    return DataSplit(
        listing.origin,
        listing.classes,
        train=tuple(sorted(train)),
        calibration=tuple(sorted(calibration)),
        test=tuple(sorted(test)),
        notes=notes + listing.notes,
        selection=tuple(sorted(selection)),
        form=listing.form,
        task=listing.task or (Classification() if listing.labelled else Agreement()),
        own_selection=own,
    )


def draw(items: Sequence[Item], share: float, cap: int | None, seed: int) -> tuple[tuple[Item, ...], tuple[Item, ...]]:
    """Split off about `share` of every class (at least one image where the class has two), at most `cap` in all."""
    by_class: dict[int, list[Item]] = defaultdict(list)
    for item in sorted(items):
        by_class[item.label].append(item)
    if cap is not None and len(items) * share > cap:
        share = cap / len(items)
    taken: set[Item] = set()
    for label, members in sorted(by_class.items()):
        count = min(len(members) - 1, max(1, round(len(members) * share)))
        taken.update(random.Random(f"{seed}/{label}").sample(members, count))
    return tuple(i for i in items if i in taken), tuple(i for i in items if i not in taken)


def evenly(items: Sequence[Item], count: int) -> tuple[Item, ...]:
    """Take up to `count` images spread evenly over classes and, within a class, over the list."""
    if count >= len(items):
        return tuple(items)
    by_class: dict[int, list[Item]] = defaultdict(list)
    for item in items:
        by_class[item.label].append(item)
    quotas = _quotas([len(members) for members in by_class.values()], count)
    picked: list[Item] = []
    for members, quota in zip(by_class.values(), quotas, strict=True):
        picked += [members[(2 * i + 1) * len(members) // (2 * quota)] for i in range(quota)]
    return tuple(picked)


def _quotas(sizes: list[int], count: int) -> list[int]:
    """Divide `count` as equally as the sizes of the classes allow."""
    quotas = [0] * len(sizes)
    while (left := count - sum(quotas)) > 0:
        open_ = [i for i, size in enumerate(sizes) if quotas[i] < size]
        for i in open_[:left]:
            quotas[i] += min(max(1, left // len(open_)), sizes[i] - quotas[i])
    return quotas


def _check_head(listing: Listing, outputs: int | None) -> None:
    used = max((item.label for item in listing.items), default=-1) + 1
    if outputs is not None and used > outputs:
        raise DataError(
            f"the data have {used} classes, the model has {outputs} outputs",
            where=listing.origin,
            remedy="Use the images that the model was trained for, or a model with a fitting head.",
        )


def _drop_unreadable(listing: Listing) -> tuple[Listing, tuple[str, ...]]:
    """Let every source look for images that do not decode; leave out a few, refuse where over 1 % do not."""
    bad = {item for source in {item.origin for item in listing.items}
           for item in source.broken([item for item in listing.items if item.source is source])}  # fmt: skip
    if not bad:
        return listing, ()
    total = len(listing.items)
    names = ", ".join(item.name for item in sorted(bad)[:3])
    said = f"{len(bad)} of {total} images cannot be read: {names}" + (" ..." if len(bad) > 3 else "")
    if len(bad) > UNREADABLE_LIMIT * total:
        raise DataError(said, where=listing.origin, remedy="Remove or replace these files.")
    parts = {part: tuple(i for i in items if i not in bad) for part, items in listing.parts.items()}
    loose = tuple(i for i in listing.loose if i not in bad)
    return replace(listing, parts=parts, loose=loose), (said + "; they are left out",)
