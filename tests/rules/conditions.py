"""Random conditions over the small vocabulary, and random facts, for properties."""

from hypothesis import strategies as st

NUMBERS = ("m.a", "m.share", "plan.x")
FLAGS = ("m.flag", "m.other")
KINDS, TAGS = ("cpu", "gpu", "npu"), ("int8", "fp16", "fp32")

_few = st.sampled_from([-1, 0, 0.5, 1, 2])
_leaves = st.one_of(
    st.sampled_from(FLAGS),
    st.builds("{} {} {}".format, st.sampled_from(NUMBERS), st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), _few),
    st.builds("{} {} m.a".format, _few, st.sampled_from(["<", ">="])),
    st.builds("m.kind {} '{}'".format, st.sampled_from(["==", "!="]), st.sampled_from(KINDS)),
    st.builds("m.kind {} {{'{}'}}".format, st.sampled_from(["in", "not in"]), st.sampled_from(KINDS)),
    st.builds("m.kind in {{'cpu', '{}'}}".format, st.sampled_from(KINDS[1:])),
    st.builds("'{}' {} m.tags".format, st.sampled_from(TAGS), st.sampled_from(["in", "not in"])),
    st.builds("has(m.tags, '{}')".format, st.sampled_from(TAGS)),
    st.builds("disjoint(m.tags, {{'int8', '{}'}})".format, st.sampled_from(TAGS[1:])),
    st.builds("known({})".format, st.sampled_from([*NUMBERS, *FLAGS, "m.kind"])),
    st.builds("m.a * 2 {} plan.x".format, st.sampled_from(["<", ">="])),
    st.sampled_from(["true", "1 > 2"]),
)
conditions = st.recursive(
    _leaves,
    lambda inner: st.one_of(
        st.builds("({} and {})".format, inner, inner),
        st.builds("({} or {})".format, inner, inner),
        st.builds("(not {})".format, inner),
    ),
    max_leaves=6,
)

_values = {
    **dict.fromkeys(("m.a", "plan.x"), st.sampled_from([-2, -1, 0, 0.5, 1, 1.5, 2, 3])),
    "m.share": st.sampled_from([0, 0.5, 0.7, 1]),
    **dict.fromkeys(FLAGS, st.booleans()),
    "m.kind": st.sampled_from(KINDS),
    "m.tags": st.frozensets(st.sampled_from(TAGS)),
}
all_facts = st.fixed_dictionaries(_values)
some_facts = st.fixed_dictionaries({}, optional={name: st.one_of(st.none(), value) for name, value in _values.items()})
