"""What would have to be different for another plan to win: every limit, fact and goal that could turn the decision.

`bounds` and `breakpoints` say which values are worth trying, `probing` who would win with them, `limits`, `facts`
and `goals` go through them one at a time. Nothing here is confirmed yet: `counterfactual` asks again with each change.
"""
