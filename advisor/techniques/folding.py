"""Fold batch norms into the layers before them, as exporters and runtimes do.

A folded network has other parameters than the original: each folded norm loses its scale, shift and statistics, and the
layer gains a bias where it had none. MACs stay. Comparisons with a re-profiled module use the network before folding.
"""

from advisor.schema import WEIGHTED_KINDS, Op, OpKind, Weight, Workload

from .editing import bias_of, main_weight, readers, renumber, revise, writers


def foldable_norms(workload: Workload) -> tuple[tuple[Op, Op], ...]:
    """Return (layer, norm) where a batch norm is the only reader of a layer whose weight no other layer shares."""
    read, written = readers(workload), writers(workload)
    shared = _shared_weights(workload)
    pairs = []
    for norm in workload.ops:
        if norm.kind is not OpKind.NORM_BATCH or not norm.inputs:
            continue
        layer = written.get(norm.inputs[0])
        if layer is None or layer.kind not in WEIGHTED_KINDS or norm.inputs[0] in workload.outputs:
            continue
        weight = main_weight(workload, layer)
        if weight is not None and weight.name not in shared and len(read[norm.inputs[0]]) == 1:
            pairs.append((layer, norm))
    return tuple(pairs)


def fold_batch_norm(workload: Workload) -> Workload:
    """Remove every foldable batch norm; calling it again changes nothing."""
    pairs = foldable_norms(workload)
    if not pairs:
        return workload
    gone = {norm.index for _, norm in pairs}
    folded: dict[int, Op] = {}
    biases: dict[str, Weight] = {}
    for layer, norm in pairs:
        names = layer.weights
        if bias_of(workload, layer) is None:
            bias = _new_bias(workload, layer)
            biases[names[0]] = bias
            names = (*names, bias.name)
        folded[layer.index] = layer.model_copy(update={"outputs": norm.outputs, "weights": names})
    kept = [folded.get(op.index, op) for op in workload.ops if op.index not in gone]
    still_read = {name for op in kept for name in op.weights}
    dropped = {name for _, norm in pairs for name in norm.weights} - still_read
    lost = {t for layer, _ in pairs for t in layer.outputs}
    weights: list[Weight] = []
    for weight in workload.weights:
        if weight.name not in dropped:
            weights.append(weight)
        if weight.name in biases:
            weights.append(biases[weight.name])
    tensors = tuple(t for t in workload.tensors if t.id not in lost)
    return revise(workload, ops=renumber(kept), weights=tuple(weights), tensors=tensors)


def _new_bias(workload: Workload, layer: Op) -> Weight:
    weight = main_weight(workload, layer)
    assert weight is not None
    channel_axis = -1 if layer.kind is OpKind.LINEAR else 1
    width = workload.tensor[layer.outputs[0]].shape[channel_axis]
    name = f"{weight.name.removesuffix('.weight')}.bias"
    if name in workload.weight:
        name += "_folded"
    storage = weight.storage.model_copy(update={"density": 1.0, "pattern": "dense"})
    return Weight(name=name, shape=(width,), role="bias", storage=storage)


def _shared_weights(workload: Workload) -> set[str]:
    seen: set[str] = set()
    shared: set[str] = set()
    for op in workload.ops:
        if op.kind in WEIGHTED_KINDS:
            shared.update(name for name in op.weights if name in seen)
            seen.update(op.weights)
    return shared
