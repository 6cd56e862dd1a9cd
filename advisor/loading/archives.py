"""Checking a zip archive before any reader opens it: what it declares must be possible, unambiguous and affordable."""

import os
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from advisor.errors import ModelLoadError

_MOST_ENTRIES = 200_000  # a training checkpoint of a large network has about 10 000
_LARGEST_DIRECTORY = 2**25  # bytes; bounds the memory that reading the list of entries takes
_LARGEST_CONTENT = 2**36  # bytes when unpacked; the largest vision networks take 2**34
_MOST_EXPANSION = 20  # weights hardly compress; a network that is mostly zeros does so tenfold
_SMALL = 2**24  # bytes when unpacked; below it no expansion hurts
_LONGEST_NAME = 1024
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # torch writes entries as they are and reads these two
_ENCRYPTED = 0x1
_UTF8 = 0x800


@dataclass(frozen=True)
class _Directory:
    """Where the list of entries begins, how long it is, and how many it has."""

    start: int
    length: int
    entries: int


class _FaultyError(Exception):
    """What is wrong with an archive."""


def check_archive(path: Path) -> None:
    """Raise unless the archive is whole, its entries are apart, named once and of bounded size. Memory is bounded."""
    try:
        with path.open("rb") as file:
            length = os.fstat(file.fileno()).st_size
            directory = _directory(file, length)
            with zipfile.ZipFile(file) as archive:
                entries = archive.infolist()
            if len(entries) != directory.entries:
                raise _FaultyError("it lists another number of entries than it says")
            _check_names(entries)
            _check_sizes(entries, length)
            _check_places(file, entries, directory.start)
    except (
        _FaultyError,
        zipfile.BadZipFile,
        struct.error,
        ValueError,
        NotImplementedError,
        OSError,
        EOFError,
    ) as error:
        raise ModelLoadError(
            "the file is a damaged archive, perhaps cut off or made to deceive",
            where=f"{path}: {error or type(error).__name__}",
            remedy="Copy or download it again, or save the model again with torch.save.",
        ) from error


def check_sums(archive: zipfile.ZipFile, path: Path) -> None:
    """Raise if the content of an entry does not have the checksum it was written with; torch itself does not look.

    About a second per GB.
    """
    try:
        faulty = archive.testzip()
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError) as error:
        faulty = str(error)
    if faulty is not None:
        raise ModelLoadError(
            "the file has been damaged since it was written: a checksum is wrong",
            where=f"{path}: {ascii(faulty)[:80]}",
            remedy="Copy or download it again; a file saved without checksums (set_crc32_options) opens with --trust.",
        )


def _directory(file: BinaryIO, length: int) -> _Directory:
    """Read the end of the archive, which must be at the very end of the file, so that all readers see the same one."""
    file.seek(max(0, length - 22))
    tail = file.read(22)
    if len(tail) < 22 or tail[:4] != b"PK\x05\x06" or tail[20:] != b"\0\0":
        raise _FaultyError("the end of the archive is missing")
    disk, first_disk, *small = struct.unpack("<4H2L", tail[4:20])
    end, large = _directory_64(file, length - 22)
    for figure, full, unknown in zip(small, large or small, (0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF), strict=True):
        if figure not in (full, unknown):
            raise _FaultyError("the two ends of the archive contradict each other")
    here, entries, size, start = large or small
    if disk or first_disk or here != entries:
        raise _FaultyError("it is one part of several")
    if start + size != end:
        raise _FaultyError("the list of its entries is not where it should be")
    if entries > _MOST_ENTRIES or size > _LARGEST_DIRECTORY:
        raise _FaultyError(f"it has {entries:,} entries, more than {_MOST_ENTRIES:,}")
    return _Directory(start, size, entries)


def _directory_64(file: BinaryIO, end: int) -> tuple[int, tuple[int, ...] | None]:
    """Read the larger form of the end, which torch always writes; return where it begins and its figures."""
    if end < 76:
        return end, None
    file.seek(end - 76)
    record, locator = file.read(56), file.read(20)
    if locator[:4] != b"PK\x06\x07":
        return end, None
    if record[:4] != b"PK\x06\x06" or struct.unpack("<Q", locator[8:16])[0] != end - 76:
        raise _FaultyError("the end of the archive is damaged")
    return end - 76, struct.unpack("<4Q", record[24:56])


def _check_names(entries: list[zipfile.ZipInfo]) -> None:
    seen: set[str] = set()
    for entry in entries:
        name = entry.orig_filename
        parts = name.replace("\\", "/").split("/")
        shown = ascii(name)[:80]
        if len(name) > _LONGEST_NAME or not name.isprintable() or "\\" in name:
            raise _FaultyError(f"the entry name {shown} is not allowed")
        if name.startswith("/") or ".." in parts or ":" in parts[0]:
            raise _FaultyError(f"the entry {shown} points out of the archive")
        if name.lower() in seen:  # torch's reader does not tell upper from lower case
            raise _FaultyError(f"the entry {shown} is there twice")
        seen.add(name.lower())


def _check_sizes(entries: list[zipfile.ZipInfo], length: int) -> None:
    for entry in entries:
        shown = ascii(entry.filename)[:80]
        if entry.flag_bits & _ENCRYPTED:
            raise _FaultyError(f"the entry {shown} is encrypted")
        if entry.compress_type not in _METHODS:
            raise _FaultyError(f"the entry {shown} is compressed in a way that torch does not read")
        if entry.compress_type == zipfile.ZIP_STORED and entry.file_size != entry.compress_size:
            raise _FaultyError(f"the entry {shown} contradicts itself about its size")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise _FaultyError(f"the entry {shown} is a link")
    total = sum(entry.file_size for entry in entries)
    if total > min(_LARGEST_CONTENT, max(_SMALL, _MOST_EXPANSION * length)):
        raise _FaultyError(f"it unpacks to {total:,} bytes from {length:,}")


def _check_places(file: BinaryIO, entries: list[zipfile.ZipInfo], end: int) -> None:
    """Check that every entry lies where it says, within the file, and on no other."""
    last = 0
    for entry in sorted(entries, key=lambda e: e.header_offset):
        file.seek(entry.header_offset)
        header = file.read(30)
        shown = ascii(entry.filename)[:80]
        if entry.header_offset < last or len(header) < 30 or header[:4] != b"PK\x03\x04":
            raise _FaultyError(f"the entry {shown} is not where it should be, or shares its place with another")
        name_length, extra_length = struct.unpack("<2H", header[26:30])
        name = file.read(name_length)
        if name.decode("utf-8" if entry.flag_bits & _UTF8 else "cp437", "replace") != entry.orig_filename:
            raise _FaultyError(f"the entry {shown} has two names")
        last = entry.header_offset + 30 + name_length + extra_length + entry.compress_size
        if last > end:
            raise _FaultyError(f"the entry {shown} reaches beyond the end")
