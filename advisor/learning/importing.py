"""`make evidence EVIDENCE=FOLDER`: carry published latencies and accuracies over, facts and sources only."""

import argparse
import csv
import io
from pathlib import Path

from advisor.prediction.pooled.evidence import evidence_path, import_folder, write_evidence
from advisor.writing import write_text

from .accuracies import accuracies_path, import_accuracies, write_accuracies


def main(arguments: list[str] | None = None) -> None:
    """Import a folder with latency.csv.gz, accuracy.csv.gz and sources.csv."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args(arguments).folder
    latencies, accuracies = import_folder(folder), import_accuracies(folder)
    write_evidence(latencies, evidence_path())
    write_accuracies(accuracies, accuracies_path())
    used = {row.source for row in latencies} | {row.source for row in accuracies}
    write_sources(folder / "sources.csv", used, evidence_path().with_name("sources.csv"))
    print(f"{len(latencies)} latencies of {len({row.device for row in latencies})} devices from {folder}")
    print(f"{len(accuracies)} accuracies of {len({row.network for row in accuracies})} networks from {folder}")


def write_sources(path: Path, used: set[str], target: Path) -> None:
    """Write the sources that some row refers to."""
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        key = "source" if "source" in (reader.fieldnames or ()) else "id"
        kept = [row for row in reader if row[key] in used]
        columns = [name for name in reader.fieldnames or () if name != "what"]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(kept)
    write_text(target, text.getvalue())


if __name__ == "__main__":
    main()
