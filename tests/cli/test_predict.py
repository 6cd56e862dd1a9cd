"""`advisor predict` on the command line."""

import csv

TABLE = (
    "device,model,runtime,unit,threads,precision,input,latency_ms\n"
    "raspberry-pi-4b,timm:mobilenetv2_100,ncnn,cpu,4,fp32,1x3x224x224,61.9\n"
    "raspberry-pi-4b,timm:resnet26,ncnn,cpu,4,fp32,1x3x224x224,\n"
    "rasberry,timm:resnet26,ncnn,cpu,4,fp32,1x3x224x224,\n"
)


def test_a_table_is_predicted_and_written(invoke, tmp_path):
    (tmp_path / "t.csv").write_text(TABLE)
    result = invoke("predict", str(tmp_path / "t.csv"), "-o", str(tmp_path / "out.csv"))
    assert result.exit_code == 0, result.output
    assert "2 of 3 rows" in result.output
    with (tmp_path / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [bool(row["mid"]) for row in rows] == [True, True, False]


def test_without_an_output_the_rows_are_shown_in_eighty_columns(invoke, tmp_path):
    (tmp_path / "t.csv").write_text(TABLE)
    result = invoke("predict", str(tmp_path / "t.csv"))
    assert "80 % interval" in result.output
    assert max(len(line) for line in result.output.splitlines()) <= 80


def test_json_holds_summary_and_rows(invoke_json, tmp_path):
    (tmp_path / "t.csv").write_text(TABLE)
    found = invoke_json("predict", str(tmp_path / "t.csv"))
    assert (found["total"], found["answered"]) == (3, 2)
    assert [row["basis"] for row in found["rows"]] == ["published", "fitted", ""]


def test_a_missing_table_is_bad_input(invoke, tmp_path):
    result = invoke("predict", str(tmp_path / "none.csv"))
    assert result.exit_code == 2
    assert "cannot be read" in result.output
