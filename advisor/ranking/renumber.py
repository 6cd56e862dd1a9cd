"""Give candidates the numbers people use: 0 and 1 stay, the others follow the ranking."""

from collections.abc import Sequence

from advisor.schema import Candidate


def renumber(
    ranked: Sequence[Candidate], winner: int | None, baselines: int = 2
) -> tuple[tuple[Candidate, ...], int | None]:
    """Number candidates by rank; the first `baselines` ("change nothing", "change the runtime only") keep theirs."""
    numbers = {number: number for number in range(baselines)}
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
