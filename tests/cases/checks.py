"""What an entry of the table expects, held against a decision: every disagreement in words."""

from collections.abc import Iterator
from typing import Any

from advisor.facts import plan_precision
from advisor.schema import Recommendation

from .table import place, with_technique

Entry = dict[str, Any]


def disagreements(rec: Recommendation, entry: Entry) -> list[str]:
    """Return all that is not as the entry expects."""
    return [*_advice(rec, entry), *_closed(rec, entry), *_open(rec, entry), *_order(rec, entry), *_rules(rec, entry)]


def _advice(rec: Recommendation, entry: Entry) -> Iterator[str]:
    """The recommended plan, or that there is none."""
    if entry.get("no_winner"):
        if rec.recommended is not None:
            yield f"recommended is {rec.recommended.plan}"
        if entry.get("said", "") not in " ".join(rec.nearest):
            yield f"{entry['said']!r} is not said: {rec.nearest}"
        return
    if not any(key.startswith("winner") for key in entry):
        return
    if rec.recommended is None:
        yield f"nothing is recommended: {rec.nearest}"
        return
    plan = rec.recommended.plan
    techniques = set(plan.techniques)
    is_so = {"precision": plan_precision(plan), "runtime": plan.runtime, "unit": plan.unit}
    wrong = [what for what, value in is_so.items() if value not in entry.get(f"winner_{what}", [value])]
    wrong += ["has"] * (not techniques >= set(entry.get("winner_has", ())))
    wrong += ["has one"] * ("winner_has_one" in entry and not techniques & set(entry["winner_has_one"]))
    wrong += ["lacks"] * bool(techniques & set(entry.get("winner_lacks", ())))
    wrong += ["plain"] * bool(entry.get("winner_plain") and techniques)
    if wrong:
        yield f"recommended is {plan}, against {', '.join(wrong)}"


def _closed(rec: Recommendation, entry: Entry) -> Iterator[str]:
    for text in entry.get("rejected", ()):
        plan, _, rule = text.partition(" by ")
        found = with_technique(rec, plan)
        kept = [c.plan for c in found if not any(reason.startswith(rule) for reason in c.rejected_by)]
        if kept or not found:
            yield f"{text}: {f'not so for {kept[:2]}' if kept else 'it is not proposed'}"


def _open(rec: Recommendation, entry: Entry) -> Iterator[str]:
    for plan in (*entry.get("open", ()), *entry.get("argued", ())):
        found = with_technique(rec, plan)
        if all(c.rejected_by for c in found):
            yield f"{plan} is not open: {[c.rejected_by for c in found][:2] or 'it is not proposed'}"
        against = any(f.kind in ("avoid", "warn") and f.truth == "true" for c in found for f in c.findings)
        if plan in entry.get("argued", ()) and not against:
            yield f"nothing speaks against {plan}"


def _order(rec: Recommendation, entry: Entry) -> Iterator[str]:
    for text in entry.get("order", ()):
        first, second = (place(rec, plan) for plan in text.split(" before "))
        if first is None or (second is not None and second < first):
            yield f"{text}: their places are {first} and {second}"


def _rules(rec: Recommendation, entry: Entry) -> Iterator[str]:
    findings = [f for c in rec.candidates for f in c.findings] + list(rec.case_findings)
    fired = {f.rule for f in findings if f.truth == "true"}
    yield from (f"{name} is silent" for name in set(entry.get("fires", ())) - fired)
    yield from (f"{name} speaks" for name in set(entry.get("silent", ())) & fired)
    asked = {text.split()[0] for text in rec.unknown}
    yield from (f"{fact} is not asked" for fact in set(entry.get("asks", ())) - asked)
