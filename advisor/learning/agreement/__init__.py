"""Holding rules against the evidence: pairs of measurements that differ in one thing, and what each rule says of them.

The result, `knowledge/evidence/agreement.json`, changes no rule by itself; people read it and revise.
"""
