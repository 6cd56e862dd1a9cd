"""`make rules-evidence`: hold the rules against the evidence and write what comes out."""

import argparse
import json
from collections.abc import Sequence

from advisor.progress import tracked
from advisor.rules import load_rules
from advisor.writing import write_text

from .accuracy import accuracy_pairs
from .judging import judge
from .latency import latency_pairs
from .page import page, page_path
from .settings import load_settings
from .written import agreement_path, as_data, as_text, summary, table


def main(arguments: Sequence[str] | None = None) -> None:
    """Judge all rules, print the table, and write knowledge/evidence/agreement.json and docs/rules-evidence.md."""
    parser = argparse.ArgumentParser(prog="python -m advisor.learning.agreement", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print what is written as JSON")
    parser.add_argument("--dry", action="store_true", help="print only, write nothing")
    options = parser.parse_args(arguments)
    settings, base = load_settings(), load_rules()
    pairs = [*latency_pairs(settings), *accuracy_pairs(settings)]
    found = judge(base, tracked(pairs, "asking the rules"), settings.judged)
    data = as_data(found, pairs, settings.judged)
    if not options.dry:
        write_text(agreement_path(), as_text(data))
        if page_path().parent.is_dir():  # not beside an installed package
            write_text(page_path(), page(found, base, settings.judged))
    print(json.dumps(data, indent=1) if options.json else "\n".join((summary(found), *table(found))))


if __name__ == "__main__":
    main()
