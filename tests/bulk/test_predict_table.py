"""Tables in, tables out: every row gets a prediction or a reason."""

import csv
import gzip

import pytest

import advisor
from advisor.bulk import read_table
from advisor.bulk.summary import summarised
from advisor.errors import AdvisorError

HAILO = {"device": "hailo-8", "unit": "npu", "runtime": "hailort", "precision": "int8"}


def row(**cells):
    base = {"device": "raspberry-pi-4b", "unit": "cpu", "threads": "4", "runtime": "ncnn", "precision": "fp32",
            "batch": "1", "input": "1x3x224x224", "arch": "timm:mobilenetv2_100"}  # fmt: skip
    return {**base, **cells}


def test_a_published_measurement_answers_its_own_question():
    (line,) = advisor.predict_table([row()])
    assert line.basis == "published"
    assert "ncnn-benchmark" in line.why
    assert line.low <= line.mid <= line.high
    assert 50 < line.mid < 75, "published at about 62 ms"


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"arch": "timm:mobilenetv2_140"}, "this setup was measured with other networks"),
        ({"threads": "3"}, "this network was measured on this device in another way"),
        ({"device": "nobody", "device_name": "Board (Cortex-A72 1.5GHz x 4)"}, "descriptor"),
        ({**HAILO, "arch": "timm:mobilenetv3_large_100"}, "1000 / FPS"),
        ({"arch": "timm:resnet50", "input": "1x3x208x208"}, "scaled from the network at"),
        ({"arch": "", "model": "my_net", "macs_g": "0.5", "params_m": "4"}, "measured with other networks"),
    ],
)  # fmt: skip
def test_other_questions_are_answered_by_their_likes(cells, words):
    (line,) = advisor.predict_table([row(**cells)])
    assert line.basis == "fitted", line.why
    assert words in line.why
    assert 0 < line.low < line.mid < line.high
    assert 0 < line.confidence < 0.95


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"device": "rasberry-pi-4b"}, "raspberry-pi-4b"),
        ({"device": ""}, "no device"),
        ({"arch": "", "model": ""}, "no network"),
        ({"arch": "", "model": "my_net"}, "neither params_m nor macs_g"),
        ({"arch": "timm:resnet5"}, "resnet5"),
        ({"threads": "four"}, "threads"),
        ({"arch": "timm:resnet5", "input": "1x3xwide"}, "not a shape"),
        ({"unit": "tpu"}, "unknown unit"),
        ({"arch": "", "model": "my_net", "macs_g": "many"}, "macs_g"),
        ({"runtime": "coreml"}, "no path coreml/cpu"),
    ],
)
def test_a_row_without_an_answer_says_why(cells, words):
    (line,) = advisor.predict_table([row(**cells)])
    assert line.mid is None
    assert words in line.why
    assert line.added["mid"] == ""


def test_a_bare_row_is_answered_by_the_way_the_profile_prefers():
    (line,) = advisor.predict_table([{"device": "raspberry-pi-5", "model": "timm:resnet18"}])
    assert line.mid is not None, line.why
    assert "taken as 224x224" in line.why


def test_a_batch_takes_longer_than_one_image():
    cells = {"device": "hailo-8", "unit": "npu", "runtime": "hailort", "precision": "int8", "metric": "throughput",
             "arch": "timm:regnety_032"}  # fmt: skip
    one, eight = advisor.predict_table([row(**cells), row(**cells, batch="8")])
    assert 3 < eight.mid / one.mid < 12


def test_more_threads_are_faster_and_larger_networks_slower():
    by_threads = advisor.predict_table([row(arch="timm:resnet34", threads=str(n)) for n in (1, 2, 4)])
    assert by_threads[0].mid > by_threads[1].mid > by_threads[2].mid
    small, large = advisor.predict_table([row(arch="timm:resnet26"), row(arch="timm:resnet101")])
    assert small.mid < large.mid


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz"])
def test_a_table_is_written_with_its_own_columns_first(tmp_path, name):
    table = tmp_path / "in.csv"
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*row(), "note"])
        writer.writeheader()
        writer.writerows([row(note="a, b"), row(device="nobody", note="")])
    advisor.predict_table(table, tmp_path / name)
    with (gzip.open if name.endswith("gz") else open)(tmp_path / name, "rt", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0])[-6:] == ["low", "mid", "high", "basis", "confidence", "why"]
    assert (rows[0]["note"], rows[0]["basis"], rows[1]["mid"]) == ("a, b", "published", "")
    assert rows[1]["why"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no header"),
        (b"model,arch\nx,y\n", "device"),
        (b"device,unit\nx,y\n", "model"),
        (b"device,model\n\xff\xfe\n", "UTF-8"),
        (b"\x1f\x8b\x08\x00garbage", "table"),
    ],
)
def test_a_broken_table_is_refused_as_a_whole(tmp_path, content, words):
    path = tmp_path / "t.csv"
    path.write_bytes(content)
    with pytest.raises(AdvisorError) as caught:
        read_table(path)
    assert words in f"{caught.value.what} {caught.value.where}"


def test_the_summary_counts_answers_reasons_and_errors():
    rows = [row(latency_ms="62"), row(arch="timm:resnet26", latency_ms="200"), row(device="nobody")]
    found = summarised(advisor.predict_table(rows))
    assert (found.total, found.answered) == (3, 2)
    assert sum(found.reasons.values()) == 1
    assert {e.basis: e.n for e in found.errors} == {"published": 1, "fitted": 1}
    assert all(0 <= e.inside <= 1 and e.width >= 1 for e in found.errors)
