"""Feasibility, Pareto front and score; why, why not and what if. Nothing that was proposed is hidden.

- deciding: `evaluate` previews and predicts each plan, `limits`, `yardstick`, `utility` and `pareto` compare them with
  the `weights` that are stated, `rank` places them, `renumber` names them, `nearest` helps where none fits, `decision`
  calls them in order and `store` writes the record;
- explaining: `explain`, `why_not` with `choosing`, `proposals` for plans that were never made, `because`, `naming`;
- asking again: `changes` reads what is changed, `what_if` decides on the stored plans, `elsewhere` from the start,
  `counterfactual` looks for the smallest change by way of `turning`, `replay` for what `rule_digests` show to be new;
- what to find out: `unknowns` lists the missing facts, `information` says what each is worth.
"""
