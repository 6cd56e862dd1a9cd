"""`python -m advisor.reports.catalogue FOLDER`: write the pages of the site."""

import sys
from collections.abc import Sequence
from pathlib import Path

from advisor.errors import AdvisorError

from .known import load
from .site import write_site

_USAGE = "usage: python -m advisor.reports.catalogue FOLDER"


def main(arguments: Sequence[str]) -> int:
    """Write the site into a folder; 2 where that cannot be done."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(_USAGE, file=sys.stderr)
        return 2
    folder = Path(arguments[0])
    try:
        pages = write_site(load(), folder)
    except AdvisorError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"{pages} pages in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
