"""Peak memory of activations from the order of operations. Torch-free.

A storage lives from the operation that makes it to its last reader; inputs live from the start, outputs to the end;
tensors that share a storage (views, in-place results) live and die together. While an operation runs, all it reads
and writes is alive. No fusion, no reuse by a clever planner: an upper bound for runtimes that plan memory.
"""

from advisor.schema import Workload
from advisor.schema.identity import remembered


@remembered()
def peak_activation_bytes(workload: Workload) -> int:
    """Return the largest sum of bytes that are alive at the same time."""
    births, deaths = lifetimes(workload)
    tensor = workload.tensor
    change = [0] * (len(workload.ops) + 2)
    for root, born in births.items():
        change[born] += tensor[root].bytes
        change[deaths[root] + 1] -= tensor[root].bytes
    peak = alive = 0
    for delta in change:
        alive += delta
        peak = max(peak, alive)
    return peak


def lifetimes(workload: Workload) -> tuple[dict[int, int], dict[int, int]]:
    """Return the first and the last step of every storage, named by its first tensor; steps are places in `ops`."""
    births: dict[int, int] = {}
    deaths: dict[int, int] = {}

    def touch(tensor: int, step: int) -> None:
        root = storage(workload, tensor)
        births.setdefault(root, step)
        deaths[root] = max(deaths.get(root, 0), step)

    for tensor in workload.inputs:
        touch(tensor, 0)
    for step, op in enumerate(workload.ops):
        for tensor in (*op.inputs, *op.outputs):
            touch(tensor, step)
    end = max(len(workload.ops) - 1, 0)
    for tensor in workload.outputs:
        touch(tensor, end)
    return births, deaths


def storage(workload: Workload, tensor: int) -> int:
    """Return the id of the tensor that owns the storage."""
    seen = {tensor}
    while (parent := workload.tensor[tensor].alias_of) is not None and parent not in seen:
        tensor = parent
        seen.add(tensor)
    return tensor
