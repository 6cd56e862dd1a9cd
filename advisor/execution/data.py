"""Dividing images into train, calibration and test: stratified by class, disjoint, the same for the same seed."""

import hashlib
import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from advisor.errors import DataError
from advisor.schema import DataFacts, DataRecord

from .folders import Item, Listing, list_images

HELD_OUT_SHARE = 0.25  # of images without a test split: share kept for the test
CALIBRATION_SHARE = 0.15  # of the remaining images without a calibration split, at most CALIBRATION_CAP
CALIBRATION_CAP = 512
UNREADABLE_LIMIT = 0.01  # share of images that may fail to decode before the data are refused


@dataclass(frozen=True)
class DataSplit:
    """Images by their part; calibration, selection and training never touch `test`."""

    directory: Path
    classes: tuple[str, ...]
    train: tuple[Item, ...]
    calibration: tuple[Item, ...]
    test: tuple[Item, ...]
    notes: tuple[str, ...] = ()

    @property
    def record(self) -> DataRecord:
        """The record stored with a run."""
        return DataRecord(
            directory=str(self.directory),
            classes=self.classes,
            train=len(self.train),
            calibration=len(self.calibration),
            test=len(self.test),
            digest=self.digest,
        )

    @property
    def digest(self) -> str:
        """SHA-256 over part, relative name and size of every image."""
        lines = [
            f"{part}\t{item.path.relative_to(self.directory).as_posix()}\t{item.path.stat().st_size}\t{item.label}"
            for part, items in (("train", self.train), ("calibration", self.calibration), ("test", self.test))
            for item in items
        ]
        return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()


def data_facts(directory: Path) -> DataFacts:
    """Count what a directory offers, divided as `open_data` divides it, without opening an image."""
    listing = list_images(directory)
    split = split_images(listing, 0)
    return DataFacts(
        images=len(listing.items),
        labelled=sum(item.label >= 0 for item in listing.items),
        calibration=len(split.calibration),
        train=len(split.train),
        test=len(split.test),
        classes=len(listing.classes) or None,
    )


def open_data(directory: Path, outputs: int | None, seed: int = 0) -> DataSplit:
    """List, check and divide a directory for a model with `outputs` classes (None: unknown)."""
    listing = list_images(directory.resolve())
    _check_head(listing, outputs)
    readable, notes = _drop_unreadable(listing)
    if outputs is not None and listing.labelled and len(listing.classes) < outputs:
        notes += (
            f"the data have {len(listing.classes)} classes, the model {outputs} outputs: class folders are taken in "
            "order for the first outputs (put a classes.txt beside them to name all outputs)",
        )
    return split_images(readable, seed, notes)


def split_images(listing: Listing, seed: int, notes: tuple[str, ...] = ()) -> DataSplit:
    """Divide a listing; given split folders are respected, what is missing is drawn from the training images."""
    parts = dict(listing.parts)
    train = listing.loose + parts.get("train", ())
    validation = parts.get("validation", ())
    test = parts.get("test", ())
    if test:
        train += validation
    else:
        test = validation
    if not listing.labelled:
        unlabelled = parts.get("calibration", ()) or train
        return DataSplit(listing.directory, (), (), tuple(sorted(unlabelled)), (), notes)
    if not test:
        test, train = draw(train, HELD_OUT_SHARE, None, seed)
    calibration = parts.get("calibration", ())
    if not calibration:
        calibration, train = draw(train, CALIBRATION_SHARE, CALIBRATION_CAP, seed + 1)
    train, test = (tuple(i for i in part if i.label >= 0) for part in (train, test))
    return DataSplit(
        listing.directory,
        listing.classes,
        train=tuple(sorted(train)),
        calibration=tuple(sorted(calibration)),
        test=tuple(sorted(test)),
        notes=notes,
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
            where=str(listing.directory),
            remedy="Use the images that the model was trained for, or a model with a fitting head.",
        )


def _drop_unreadable(listing: Listing) -> tuple[Listing, tuple[str, ...]]:
    """Decode every image once, roughly; leave out the few that fail, refuse where over 1 % do."""
    bad = {item for item in listing.items if not _decodes(item.path)}
    if not bad:
        return listing, ()
    total = len(listing.items)
    names = ", ".join(str(item.path.relative_to(listing.directory)) for item in sorted(bad)[:3])
    said = f"{len(bad)} of {total} images cannot be read: {names}" + (" ..." if len(bad) > 3 else "")
    if len(bad) > UNREADABLE_LIMIT * total:
        raise DataError(said, where=str(listing.directory), remedy="Remove or replace these files.")
    parts = {part: tuple(i for i in items if i not in bad) for part, items in listing.parts.items()}
    loose = tuple(i for i in listing.loose if i not in bad)
    return Listing(listing.directory, listing.classes, parts, loose), (said + "; they are left out",)


def _decodes(path: Path) -> bool:
    try:
        with Image.open(path) as image:
            image.draft("RGB", (32, 32))  # JPEG: decode at an eighth of the size, which reads the whole file
            image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False
    return True
