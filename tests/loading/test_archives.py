import struct
import time
import tracemalloc
import zipfile

import pytest
import torch

from advisor.errors import ModelLoadError
from advisor.loading.archives import check_archive
from advisor.loading.pickles import read_pickle


def _zip(path, entries, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def _patched(path, field, value):
    """Change a figure of the first entry in the list of entries; fields as in the format's description."""
    data = bytearray(path.read_bytes())
    start = data.index(b"PK\x01\x02")
    offset, code = {"flags": (8, "<H"), "method": (10, "<H"), "packed": (20, "<L"), "size": (24, "<L"),
                    "attributes": (38, "<L"), "place": (42, "<L")}[field]  # fmt: skip
    struct.pack_into(code, data, start + offset, value)
    path.write_bytes(data)
    return path


def _overlapping(path):
    _zip(path, [("a/data.pkl", b"x" * 100), ("a/version", b"y" * 100)])
    data = bytearray(path.read_bytes())
    second = data.index(b"PK\x01\x02", data.index(b"PK\x01\x02") + 4)
    struct.pack_into("<L", data, second + 42, 0)  # the second entry lies where the first does
    path.write_bytes(data)
    return path


def _two_names(path):
    data = _zip(path, [("a/data.pkl", b"x")]).read_bytes()
    path.write_bytes(data.replace(b"a/data.pkl", b"b/data.pkl", 1))
    return path


def _add(path, before=b"", after=b""):
    path.write_bytes(before + _zip(path, [("a/data.pkl", b"x")]).read_bytes() + after)
    return path


def _comment(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a/data.pkl", b"x")
        archive.comment = b"PK\x05\x06" + bytes(18)
    return path


def _figures(path, **figures):
    """Change figures at the end of the archive."""
    data = bytearray(_zip(path, [("a/data.pkl", b"x")]).read_bytes())
    places = {"here": (8, "<H"), "entries": (10, "<H"), "size": (12, "<L"), "start": (16, "<L"), "disk": (4, "<H")}
    for key, value in figures.items():
        struct.pack_into(places[key][1], data, len(data) - 22 + places[key][0], value)
    path.write_bytes(data)
    return path


ONE = [("a/data.pkl", b"x" * 100)]
BAD = {
    "a bomb": (lambda p: _zip(p, [("a/data.pkl", bytes(10**8))], zipfile.ZIP_DEFLATED), "unpacks to 100,000,000"),
    "many small bombs": (
        lambda p: _zip(p, [(f"a/data/{i}", bytes(10**6)) for i in range(50)], zipfile.ZIP_DEFLATED), "unpacks to"),
    "overlapping entries": (_overlapping, "shares its place"),
    "a name that comes twice": (lambda p: _zip(p, [*ONE, ("a/DATA.pkl", b"y")]), "is there twice"),
    "a name that climbs out": (lambda p: _zip(p, [("a/../../b", b"x")]), "points out of the archive"),
    "an absolute name": (lambda p: _zip(p, [("/etc/b", b"x")]), "points out of the archive"),
    "a drive": (lambda p: _zip(p, [("C:/b", b"x")]), "points out of the archive"),
    "a backslash": (lambda p: _zip(p, [("a\\b", b"x")]), "is not allowed"),
    "a line in a name": (lambda p: _zip(p, [("a\nb", b"x")]), "is not allowed"),
    "a long name": (lambda p: _zip(p, [("a" * 2000, b"x")]), "is not allowed"),
    "an entry with two names": (_two_names, "two names"),
    "encryption": (lambda p: _patched(_zip(p, ONE), "flags", 1), "encrypted"),
    "an unknown method": (lambda p: _patched(_zip(p, ONE), "method", 99), "compressed in a way"),
    "bzip2": (lambda p: _zip(p, ONE, zipfile.ZIP_BZIP2), "compressed in a way"),
    "two sizes": (lambda p: _patched(_zip(p, ONE), "size", 10**9), "contradicts itself"),
    "a size beyond the file": (
        lambda p: _patched(_patched(_zip(p, ONE), "size", 10**9), "packed", 10**9), "unpacks to|beyond the end"),
    "a place beyond the file": (lambda p: _patched(_zip(p, ONE), "place", 10**6), "not where it should be"),
    "a link": (lambda p: _patched(_zip(p, ONE), "attributes", 0o120777 << 16), "is a link"),
    "something before": (lambda p: _add(p, before=b"\x7fELF" * 4), "not where it should be"),
    "something after": (lambda p: _add(p, after=b"more"), "the end of the archive is missing"),
    "a comment": (_comment, "not where it should be"),
    "another number of entries": (lambda p: _figures(p, here=2, entries=2), "another number of entries"),
    "too many entries": (lambda p: _figures(p, here=0xFFFF, entries=0xFFFF), "more than|another number"),
    "several disks": (lambda p: _figures(p, disk=1), "one part of several"),
    "an end that lies": (lambda p: _figures(p, size=10), "not where it should be"),
    "nothing": (lambda p: p.write_bytes(b"PK\x03\x04") and p, "the end of the archive is missing"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "message"), BAD.values(), ids=BAD.keys())
def test_a_hostile_archive_is_refused_with_its_fault(tmp_path, make, message):
    path = make(tmp_path / "a.pt")
    with pytest.raises(ModelLoadError, match=message) as caught:
        check_archive(path)
    assert str(path) in caught.value.where
    assert caught.value.remedy


def test_every_cut_of_a_checkpoint_is_refused(tmp_path):
    path = tmp_path / "a.pt"
    torch.save({"w": torch.ones(100)}, path)
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(ModelLoadError):
            check_archive(path)


def _with_zeros(path):
    return _zip(path, [("a/data.pkl", bytes(range(256)) * 8), ("a/data/0", bytes(10_000))], zipfile.ZIP_DEFLATED)


GOOD = {
    "torch": lambda p: torch.save({"w": torch.ones(1000)}, p),
    "torch with a name that is not ASCII": lambda p: torch.save({"w": torch.ones(10)}, p.with_name("modèle ü.pt")),
    "deflated": _with_zeros,
    "many entries": lambda p: _zip(p, [(f"a/data/{i}", b"x") for i in range(70_000)]),
}


@pytest.mark.parametrize("make", GOOD.values(), ids=GOOD.keys())
def test_honest_archives_pass(tmp_path, make):
    make(tmp_path / "a.pt")
    for path in tmp_path.iterdir():
        check_archive(path)


def test_a_list_of_a_million_entries_costs_neither_time_nor_memory(tmp_path):
    path = tmp_path / "a.pt"
    entry = b"PK\x01\x02" + bytes(42)
    count = 1_000_000
    listed = entry * count
    end = b"PK\x06\x06" + struct.pack("<QHHLLQQQQ", 44, 45, 45, 0, 0, count, count, len(listed), 0)
    locator = b"PK\x06\x07" + struct.pack("<LQL", 0, len(listed), 1)
    path.write_bytes(
        listed + end + locator + b"PK\x05\x06" + struct.pack("<4H2LH", 0, 0, *[0xFFFF] * 2, *[0xFFFFFFFF] * 2, 0)
    )
    tracemalloc.start()
    before = time.perf_counter()
    with pytest.raises(ModelLoadError, match="1,000,000 entries"):
        check_archive(path)
    assert time.perf_counter() - before < 1
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_a_single_bit_that_fell_over_in_the_weights_is_noticed(tmp_path):
    path = tmp_path / "a.pt"
    weights = torch.arange(1000.0)
    torch.save({"w": weights}, path)
    data = bytearray(path.read_bytes())
    data[data.index(weights.numpy().tobytes()) + 40] ^= 0x40
    path.write_bytes(data)
    with pytest.raises(ModelLoadError, match=r"checksum is wrong.*data/0"):
        read_pickle(path, legacy=False, trust=False)
