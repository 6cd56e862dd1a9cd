"""Figures of different versions are told apart, metric by metric."""

import pytest

from advisor.prediction import figures
from advisor.prediction.figures import RESTS_ON, figures_version
from advisor.resources import data_dir
from advisor.schema import Metric

NOT_PREDICTED_FROM = {"measured_memory", "measured_x86", "measured_x86_amx", "published_arena"}  # what was fitted to


def test_every_file_of_figures_belongs_to_a_metric():
    stems = {file.name.partition(".")[0] for file in (data_dir("knowledge") / "prediction").iterdir()}
    assert stems - NOT_PREDICTED_FROM == {name for names in RESTS_ON.values() for name in names}


@pytest.mark.parametrize(
    ("changed", "metrics"),
    [
        ("size_fitted.yaml", {Metric.SIZE, Metric.FLASH}),
        ("accuracy_pooled.json.gz", {Metric.ACCURACY}),
        ("fusion.yaml", {Metric.LATENCY, Metric.THROUGHPUT, Metric.ENERGY, Metric.MEMORY}),
    ],
)
def test_the_version_changes_with_the_files_of_the_metric_alone(tmp_path, monkeypatch, changed, metrics):
    folder = tmp_path / "prediction"
    folder.mkdir()
    for file in (data_dir("knowledge") / "prediction").iterdir():
        (folder / file.name).symlink_to(file)
    monkeypatch.setattr(figures, "data_dir", lambda _: tmp_path)
    versions = {metric: figures_version.__wrapped__(metric) for metric in Metric}
    assert versions == {metric: figures_version(metric) for metric in Metric}
    (folder / changed).unlink()
    (folder / changed).write_text("other")
    assert {m for m in Metric if figures_version.__wrapped__(m) != versions[m]} == metrics
