"""Tables of accuracy questions: every row gets a prediction or a reason."""

import csv
import json

import pytest
from typer.testing import CliRunner

from advisor.bulk.accuracy import ADDED, predict_accuracies, summarised
from advisor.cli.main import app
from advisor.errors import AdvisorError

COLUMNS = ("model", "arch", "task", "dataset", "metric", "technique", "setting", "toolkit", "baseline")
ROW = dict(zip(COLUMNS, ("MobileNetV2", "timm:mobilenetv2_100", "classification", "ImageNet-1k", "top1", "ptq_static",
                         "bits_w=8;bits_a=8", "tflite", "71.8"), strict=True))  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        ({"model": "", "arch": ""}, "no network"),
        ({"technique": ""}, "no technique"),
        ({"technique": "wishing"}, "unknown technique"),
        ({"technique": "combo", "setting": ""}, "names its parts"),
        ({"baseline": "high"}, "baseline"),
        ({"baseline": "nan"}, "baseline"),
        ({"metric": "RMSE"}, "less is better"),
    ],
)
def test_a_row_without_an_answer_says_why(cells, words):
    (line,) = predict_accuracies([{**ROW, **cells}])
    assert line.reply is None
    assert words in line.why
    assert set(line.added) == set(ADDED)


def test_a_table_of_a_file_is_answered_and_judged(tmp_path):
    path, out = tmp_path / "asked.csv", tmp_path / "answered.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*COLUMNS, "delta"])
        writer.writeheader()
        writer.writerows([{**ROW, "delta": "-0.9"}, {**ROW, "technique": "wishing", "delta": ""}])
    lines = predict_accuracies(path, out)
    summary = summarised(lines)
    assert (summary.total, summary.answered, summary.errors.n) == (2, 1, 1)
    with out.open(newline="") as file:
        first, second = csv.DictReader(file)
    assert float(first["delta_low"]) <= float(first["delta_mid"]) <= float(first["delta_high"])
    assert 0 < float(first["p_loss_over_5"]) <= float(first["p_loss_over_1"]) < 1
    assert "toolkits" in first["nearest"]
    assert first["delta"] == "-0.9", "the table's own columns stay"
    assert second["delta_mid"] == ""
    assert "wishing" in second["why"]


def test_a_table_without_techniques_is_refused(tmp_path):
    path = tmp_path / "asked.csv"
    path.write_text("model,setting\nresnet18,x=1\n")
    with pytest.raises(AdvisorError, match="technique"):
        predict_accuracies(path)


def test_the_command_line_answers_in_json_and_as_a_page(tmp_path):
    path = tmp_path / "asked.csv"
    path.write_text(f"{','.join(COLUMNS)}\n{','.join(ROW.values())}\n")
    found = CliRunner().invoke(app, ["predict", str(path), "--metric", "accuracy", "--json"])
    assert found.exit_code == 0, found.output
    answered = json.loads(found.stdout)
    assert answered["rows"][0]["basis"].startswith("fitted on")
    page = CliRunner().invoke(app, ["predict", str(path), "--metric", "accuracy"])
    assert "Predicted changes of accuracy" in page.stdout
