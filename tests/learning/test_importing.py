"""Published latencies in our own terms."""

import csv
import gzip
import io

import pytest

from advisor.errors import AdvisorError
from advisor.learning import importing
from advisor.learning.accuracies import read_accuracies
from advisor.learning.importing import main, write_sources
from advisor.learning.workloads import ncnn_networks, write_networks
from advisor.prediction.pooled.evidence import imported, network_of, read_evidence, runtime_of, write_evidence

RECORD = {
    "source": "s", "device": "raspberry-pi-5", "device_name": "Pi", "unit": "cpu", "threads": "4", "runtime": "ncnn",
    "precision": "fp32", "batch": "1", "input": "1x3x224x224", "arch": "", "model": "Net", "metric": "latency",
    "published": "2024-01-01", "latency_ms": "10", "macs_g": "2", "params_m": "3", "notes": "",
}  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "field", "value"),
    [
        ({}, "profile", "raspberry-pi-5"),
        ({"device": "nobody"}, "profile", ""),
        ({"notes": "min=4.0; max=30"}, "ms", "4.0"),
        ({"notes": "min=9.0; max=30"}, "ms", "10"),
        ({"notes": "macs_g holds the source's OPS (about 2x MACs)"}, "macs_g", "1"),
        ({"precision": "w8a8"}, "precision", "int8"),
        ({"precision": "float"}, "precision", ""),
        ({"precision": "", "notes": "quantized TFLite model"}, "precision", "int8"),
        ({"batch": ""}, "batch", "1"),
        ({"arch": "timm:resnet18"}, "network", "timm:resnet18"),
    ],
)
def test_a_record_is_put_in_our_terms(cells, field, value):
    (row,) = imported(iter([{**RECORD, **cells}]))
    assert getattr(row, field) == value


def test_rows_measured_on_another_unit_are_left_out():
    assert not list(imported(iter([{**RECORD, "notes": "INT8_ON_CPU_FALLBACK: x"}])))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("stedgeai", "stm32cubeai"), ("X-CUBE-AI v9.0", "stm32cubeai"), ("edgetpu", "tflite"), ("ncnn", "ncnn"),
        ("Bosch Hardware-Aware Lowering Engine (HALE) version 1.0", "hale"), ("microTVM", "microtvm"), ("", ""),
    ],
)  # fmt: skip
def test_runtimes_have_short_names(text, name):
    assert runtime_of(text) == name


@pytest.mark.parametrize(
    ("arch", "model", "name"),
    [
        ("timm:a", "B", "timm:a"),
        ("", "MobileNet-SSD", "mobilenet_ssd"),
        ("", "squeezenet-int8", "squeezenet"),
        ("", "", ""),
    ],
)
def test_networks_have_canonical_names(arch, model, name):
    assert network_of(arch, model) == name


def test_evidence_is_written_and_read_alike(tmp_path):
    rows = list(imported(iter([RECORD, {**RECORD, "threads": ""}])))
    for name in ("a.csv.gz", "b.csv.gz"):
        write_evidence(rows, tmp_path / name)
    assert read_evidence(tmp_path / "a.csv.gz") == rows
    assert (tmp_path / "a.csv.gz").read_bytes() == (tmp_path / "b.csv.gz").read_bytes()


def test_only_sources_in_use_are_kept(tmp_path):
    (tmp_path / "in.csv").write_text("source,title,what\ns,T,long words\nt,U,others\n")
    write_sources(tmp_path / "in.csv", {"s"}, tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "source,title\ns,T\n"


def test_a_folder_without_latencies_is_refused(tmp_path):
    with pytest.raises(AdvisorError):
        main([str(tmp_path)])


def test_a_folder_is_carried_over_with_the_sources_that_its_rows_name(tmp_path, monkeypatch, capsys):
    folder, target = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    target.mkdir()
    accuracy = {
        "source": "t", "model": "Net", "arch": "", "task": "", "dataset": "", "metric": "top1", "toolkit": "",
        "technique": "qat", "setting": "", "baseline": "70", "compressed": "69", "delta": "-1",
        "device": "", "notes": "",
    }  # fmt: skip
    for name, record in (("latency", RECORD), ("accuracy", accuracy)):
        with gzip.open(folder / f"{name}.csv.gz", "wt", newline="") as file:
            writer = csv.DictWriter(file, record)
            writer.writeheader()
            writer.writerow(record)
    (folder / "sources.csv").write_text("source,title,what\ns,T,a\nt,U,b\nu,V,c\n")
    monkeypatch.setattr(importing, "evidence_path", lambda: target / "latency.csv.gz")
    monkeypatch.setattr(importing, "accuracies_path", lambda: target / "accuracy.csv.gz")
    main([str(folder)])
    assert len(read_evidence(target / "latency.csv.gz")) == len(read_accuracies(target / "accuracy.csv.gz")) == 1
    assert (target / "sources.csv").read_text() == "source,title\ns,T\nt,U\n"
    assert "1 latencies of 1 devices" in capsys.readouterr().out


def test_graphs_of_benchncnn_come_from_a_table_of_layers(tmp_path):
    head = (
        "model,index,layer,in_c,in_h,in_w,out_c,out_h,out_w,kernel_h,kernel_w,stride_h,stride_w,groups,"
        "fused_activation,macs,params,in_elements,out_elements\n"
    )
    body = (
        "mobilenet_v3,1,Convolution,3,4,4,8,4,4,3,3,1,1,1,0,3456,224,48,128\n"
        "mobilenet_v3,2,ConvolutionDepthWise,8,4,4,8,4,4,3,3,1,1,8,0,1152,80,128,128\n"
        "mobilenet_v3,3,Convolution,8,4,4,8,4,4,1,1,1,1,1,0,1024,72,128,128\n"
        "mobilenet_v3,4,HardSwish,8,4,4,8,4,4,0,0,0,0,1,0,0,0,128,128\n"
    )
    (tmp_path / "layers.csv").write_text(head + body)
    ((name, size, amounts),) = ncnn_networks(tmp_path / "layers.csv")
    assert (name, size, amounts.macs, amounts.parameters) == ("mobilenet_v3", "224x224", 5632, 376)
    write_networks([(name, size, amounts)], tmp_path / "w.csv.gz")
    written = list(csv.DictReader(io.StringIO(gzip.decompress((tmp_path / "w.csv.gz").read_bytes()).decode())))
    assert [written[0][c] for c in ("conv", "conv_depthwise", "conv_1x1", "transcendental")] == [
        "3456",
        "1152",
        "1024",
        "256",
    ]
