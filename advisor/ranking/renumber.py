"""Give candidates the numbers people use: 0 and 1 stay, the others follow the ranking."""

from collections.abc import Sequence

from advisor.schema import Candidate


def renumber(ranked: Sequence[Candidate], winner: int | None) -> tuple[tuple[Candidate, ...], int | None]:
    """Number candidates by rank from 2 on; "change nothing" (0) and "change the runtime only" (1) keep theirs."""
    numbers: dict[int, int] = {0: 0, 1: 1}
    for candidate in ranked:
        numbers.setdefault(candidate.number, len(numbers))
    renamed = tuple(
        c.model_copy(
            update={
                "number": numbers[c.number],
                "dominated_by": None if c.dominated_by is None else numbers[c.dominated_by],
            }
        )
        for c in ranked
    )
    return renamed, None if winner is None else numbers[winner]
