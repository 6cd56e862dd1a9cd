"""A rule to start from: complete, with a comment on every field, so that only the contents are to be replaced."""

import re
from pathlib import Path

from advisor.errors import KnowledgeError
from advisor.schema import Rule
from advisor.writing import write_text

from .load import load_rules

_ID = next(limit.pattern for limit in Rule.model_fields["id"].metadata if hasattr(limit, "pattern"))
_TEMPLATE = """\
# 'advisor rules test DIR' runs the cases below, 'advisor rules check DIR' looks at the rest.
id: {id}
title: A few words for lists
group: {group}
# veto (rules a plan out), require (with demand: ...), prefer, avoid, estimate (with metric, low and high),
# procedure (with step: ...) or warn
kind: warn
# candidate: asked of every plan; case: asked once per recommendation, of model, device, data and user only
scope: candidate
# X: not from the survey that the shipped rules began with
origin: X
# strong, moderate or weak: how much its word weighs
certainty: weak
# A condition over the facts of knowledge/facts.yaml; a fact that is not known makes it unknown, not false
when: dev.kind == 'sbc' and plan.full_int8
# One sentence for the user; a fact in braces shows its value
reason: On {{dev.id}} int8 was measured to be no faster.
# Why you believe it, what harm it prevents, and when it would be wrong
why_sure: Measured on ten networks.
guards: A loss of accuracy for nothing.
wrong_when: The runtime gets int8 kernels.
# Where it was read or measured; seen: false where you recall it only
sources:
- ref: Our measurements of May
  claim: 0.98 to 1.03 of the time of fp32
  seen: true
# Ids of rules that it sets aside wherever it holds
overrides: []
# One set of facts on which it fires, one on which it does not; facts that are not named are unknown
cases:
  fires: {{dev.kind: sbc, plan.full_int8: true}}
  silent: {{dev.kind: sbc, plan.full_int8: false}}
since: "1"
"""


def write_skeleton(rule: str, group: str, folder: Path) -> Path:
    """Write the rule into its group's folder; an id, a group or a file that will not do is an error."""
    if not re.fullmatch(_ID, rule):
        raise KnowledgeError(f"{rule!r} is no id", remedy="Write two capitals, a hyphen and a number, such as XA-01")
    if not re.fullmatch(r"[a-z][a-z0-9_]*", group):
        raise KnowledgeError(f"{group!r} is no name of a group", remedy="Write small letters, digits and _")
    used = load_rules(*([folder] if folder.is_dir() else []))
    if rule in used.compiled:
        raise KnowledgeError(f"the rule {rule} exists", where=used.get(rule).place, remedy="Take the next free number")
    path = folder / group / f"{rule}-new-rule.yaml"
    if path.exists():
        raise KnowledgeError("the file exists", where=str(path), remedy="Edit it, or take another id")
    try:
        write_text(path, _TEMPLATE.format(id=rule, group=group))
    except OSError as error:
        raise KnowledgeError(f"the rule cannot be written: {error.strerror}", where=str(path)) from error
    return path
