import pytest
from hypothesis import given
from hypothesis import strategies as st

from advisor.profiling.liveness import in_place, peak_activation_bytes, storage
from advisor.schema import Op, OpKind, Tensor, Workload


def build(tensors, ops, inputs, outputs):
    return Workload(
        name="net",
        inputs=inputs,
        outputs=outputs,
        tensors=tuple(tensors),
        weights=(),
        ops=tuple(Op(index=i, kind=OpKind.OTHER, name="op", inputs=a, outputs=b) for i, (a, b) in enumerate(ops)),
    )


def floats(number, elements, alias_of=None, dtype="float32"):
    return Tensor(id=number, shape=(elements,), dtype=dtype, alias_of=alias_of)


def test_a_chain_holds_two_neighbours():
    workload = build([floats(0, 10), floats(1, 20), floats(2, 30)], [((0,), (1,)), ((1,), (2,))], (0,), (2,))
    assert peak_activation_bytes(workload) == (20 + 30) * 4


def test_a_skip_connection_keeps_its_source_alive():
    ops = [((0,), (1,)), ((1,), (2,)), ((2, 0), (3,))]
    workload = build([floats(i, 10) for i in range(4)], ops, (0,), (3,))
    assert peak_activation_bytes(workload) == 3 * 40


def test_views_and_results_in_place_cost_nothing():
    tensors = [floats(0, 10), floats(1, 10, alias_of=0), floats(2, 10, alias_of=1)]
    workload = build(tensors, [((0,), (1,)), ((1,), (2,))], (0,), (2,))
    assert peak_activation_bytes(workload) == 40


def test_bytes_follow_the_dtype():
    tensors = [floats(0, 11, dtype="int8"), floats(1, 11, dtype="int4"), floats(2, 11, dtype="float16")]
    workload = build(tensors, [((0,), (1,)), ((1,), (2,))], (0,), (2,))
    assert peak_activation_bytes(workload) == 6 + 22


def test_outputs_live_to_the_end():
    ops = [((0,), (1,)), ((0,), (2,)), ((2,), (3,))]
    workload = build([floats(i, 10) for i in range(4)], ops, (0,), (1, 3))
    assert peak_activation_bytes(workload) == 3 * 40


def test_a_network_without_operations_holds_its_input():
    assert peak_activation_bytes(build([floats(0, 10)], [], (0,), (0,))) == 40


@st.composite
def graphs(draw):
    count = draw(st.integers(1, 9))
    tensors, ops = [floats(0, draw(st.integers(1, 50)))], []
    for number in range(1, count + 1):
        reads = tuple(draw(st.sets(st.integers(0, number - 1), min_size=1, max_size=3)))
        alias = draw(st.sampled_from([None, None, reads[0]]))
        size = draw(st.integers(1, 50))
        tensors.append(floats(number, size, alias, draw(st.sampled_from(["float32", "int8", "float16"]))))
        ops.append((reads, (number,)))
    outputs = tuple(draw(st.sets(st.integers(0, count), min_size=1, max_size=2)))
    return build(tensors, ops, (0,), outputs)


def brute_force(workload):
    """At every step, sum the storages made so far that someone still reads; written without intervals."""
    owner = {t.id: storage(workload, t.id) for t in workload.tensors}
    peak = 0
    for step, op in enumerate(workload.ops):
        made = {owner[t] for t in workload.inputs} | {owner[t] for o in workload.ops[: step + 1] for t in o.outputs}
        wanted = {owner[t] for o in workload.ops[step:] for t in o.inputs} | {owner[t] for t in workload.outputs}
        now = {owner[t] for t in (*op.inputs, *op.outputs)}
        inputs = {owner[t] for t in workload.inputs} if step == 0 else set()
        alive = (made & wanted) | now | inputs
        peak = max(peak, sum(workload.tensor[t].bytes for t in alive))
    return peak


@given(graphs())
def test_the_peak_equals_brute_force(workload):
    assert peak_activation_bytes(workload) == brute_force(workload)


@given(graphs())
def test_dropping_the_last_operation_never_raises_the_peak(workload):
    if len(workload.ops) < 2:
        return
    last = set(workload.ops[-1].outputs)
    outputs = tuple(t for t in workload.outputs if t not in last) or (0,)
    if outputs != workload.outputs:
        return
    assert peak_activation_bytes(workload.model_copy(update={"ops": workload.ops[:-1]})) <= peak_activation_bytes(
        workload
    )


@pytest.mark.parametrize("chain", [1, 2, 5])
def test_the_owner_of_a_chain_of_views_is_its_first_tensor(chain):
    tensors = [floats(0, 4), *(floats(i, 4, alias_of=i - 1) for i in range(1, chain + 1))]
    assert storage(build(tensors, [], (0,), (chain,)), chain) == 0


def chain(*kinds, sizes=None, outputs=None, inputs=None):
    """Operations in a row; `inputs` gives further operands by the place of the operation."""
    sizes = sizes or [10] * (len(kinds) + 1)
    workload = build([floats(i, n) for i, n in enumerate(sizes)], [((i,), (i + 1,)) for i in range(len(kinds))], (0,),
                     outputs or (len(kinds),))  # fmt: skip
    ops = tuple(
        op.model_copy(update={"kind": kind, "inputs": op.inputs + (inputs or {}).get(i, ())})
        for i, (op, kind) in enumerate(zip(workload.ops, kinds, strict=True))
    )
    return workload.model_copy(update={"ops": ops})


CONV, ACT, SUM = OpKind.CONV, OpKind.ACTIVATION, OpKind.ELEMENTWISE


@pytest.mark.parametrize(
    ("workload", "before", "after"),
    [
        (chain(CONV, ACT, ACT), 80, 80),  # the convolution itself needs both
        (chain(CONV, ACT, sizes=[1, 10, 10]), 80, 44),
        (chain(ACT), 80, 80),  # the caller's image is not written into
        (chain(CONV, ACT, sizes=[1, 10, 10], outputs=(1, 2)), 80, 80),  # the operand is wanted later
        (chain(CONV, ACT, sizes=[1, 10, 5]), 60, 60),  # another size
        (chain(CONV, CONV, SUM, sizes=[1, 10, 10, 10], inputs={2: (1,)}), 120, 80),  # a shortcut ends in the sum
    ],
)
def test_pointwise_operations_write_over_an_operand_that_dies(workload, before, after):
    assert peak_activation_bytes(workload) == before
    assert peak_activation_bytes(in_place(workload)) == after


@given(graphs())
def test_working_in_place_never_needs_more(workload):
    kinds = [ACT, SUM, CONV]
    ops = tuple(op.model_copy(update={"kind": kinds[op.index % 3]}) for op in workload.ops)
    varied = workload.model_copy(update={"ops": ops})
    assert peak_activation_bytes(in_place(varied)) <= peak_activation_bytes(varied)
