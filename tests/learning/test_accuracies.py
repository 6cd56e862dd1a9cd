"""Published accuracies in our own terms."""

import csv
import gzip

import pytest

from advisor.errors import AdvisorError
from advisor.learning import accuracies
from advisor.learning.accuracies import (
    Disbelieved,
    accuracies_path,
    compared,
    disbelieved,
    import_accuracies,
    read_accuracies,
    write_accuracies,
)

RECORD = {
    "source": "s", "model": "Net A", "arch": "", "task": "classification", "dataset": "ImageNet-1k", "metric": "top1",
    "toolkit": "kit", "technique": "ptq_static", "setting": "bits_w=8;bits_a=8", "baseline": "70.0",
    "compressed": "69.0", "delta": "-1.0", "device": "", "notes": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "field", "value"),
    [
        ({}, "network", "net_a"),
        ({"arch": "timm:resnet18"}, "network", "timm:resnet18"),
        ({"notes": "runtime=qnn; path=qnn_dlc"}, "runtime", "qnn"),
        ({"setting": "bits_w=8;runtime=stedgeai"}, "runtime", "stm32cubeai"),
        ({"notes": "a sentence of somebody"}, "setting", "bits_w=8;bits_a=8"),
    ],
)
def test_a_record_is_put_in_our_terms(cells, field, value):
    (row,) = compared(iter([{**RECORD, **cells}]))
    assert getattr(row, field) == value


def test_a_record_without_a_difference_is_no_comparison():
    assert not list(compared(iter([{**RECORD, "delta": ""}])))


def test_comparisons_are_written_and_read_alike(tmp_path):
    rows = list(compared(iter([RECORD, {**RECORD, "arch": "timm:resnet18"}])))
    for name in ("a.csv.gz", "b.csv.gz"):
        write_accuracies(rows, tmp_path / name)
    assert read_accuracies(tmp_path / "a.csv.gz") == rows
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()


@pytest.mark.parametrize(
    ("cells", "covered"),
    [
        ({}, True),
        ({"network": "other"}, False),
        ({"technique": "qat"}, False),
        ({"setting": "bits_w=4;bits_a=8"}, False),
    ],
)
def test_what_is_not_believed_is_told_by_source_network_technique_and_setting(cells, covered):
    (row,) = compared(iter([{**RECORD, "model": cells.pop("network", "net a"), **cells}]))
    assert Disbelieved("s", "net_a", "ptq_static", "bits_w=8").covers(row) is covered


def test_a_folder_is_imported_without_what_is_not_believed(tmp_path, monkeypatch):
    with gzip.open(tmp_path / "accuracy.csv.gz", "wt", newline="") as file:
        writer = csv.DictWriter(file, RECORD)
        writer.writeheader()
        writer.writerows([RECORD, {**RECORD, "model": "Net B"}])
    monkeypatch.setattr(accuracies, "disbelieved", lambda: [Disbelieved("s", "net_b", "", "")])
    assert [row.network for row in import_accuracies(tmp_path)] == ["net_a"]


def test_a_folder_without_accuracies_is_refused(tmp_path):
    with pytest.raises(AdvisorError):
        import_accuracies(tmp_path)


def test_the_shipped_comparisons_hold_none_that_is_not_believed():
    rows = read_accuracies()
    assert len(rows) > 4000
    assert len({row.source for row in rows}) > 40
    assert not [row for row in rows for item in disbelieved() if item.covers(row)]
    with accuracies_path().with_name("sources.csv").open(newline="", encoding="utf-8") as file:
        assert {row.source for row in rows} <= {line["source"] for line in csv.DictReader(file)}
