"""What a run will cost, before it is begun: seconds, from a forest or two that are really computed, and peak memory.

Memory is reckoned before anything large is computed, so a run that can't fit is not tried:

    held now (weights, libraries, data) + gradients + optimiser + activations of the largest forest + the head's work

How many bytes a token leaves behind for the backward pass is not taken from a table of architectures: the model reads
a few hundred tokens, and what autograd keeps of them is counted. Time is that of two real forests of the first step,
forward and backward, of which the faster one counts; their gradients are thrown away, and nothing is learnt from them.
What memory they took beyond the reckoning (scratch of kernels, what the allocator can't give out again) is added to it.
benchmarks/estimate.py holds all of it against whole runs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from tutelage.model.forward import ForestModel
from tutelage.model.head import LEAST_ROWS, LOGIT_BYTES
from tutelage.model.layout import Layout
from tutelage.records import Forest, Leaf
from tutelage.run.preflight import Estimate, Memory
from tutelage.tokens.forest import build_forest
from tutelage.tokens.store import LeafStore
from tutelage.train.loop import Loop

# On a CPU freed memory is kept (train/memory.py), and forests of ever new sizes do not quite fit into what others left.
# So after some steps a process has grown by more than with the first two forests: by this share, up to so many bytes
# (benchmarks/estimate.py).
GROWS, GROWS_AT_MOST = 0.35, 2**28
# Tokens that the model reads so that its activations can be counted.
PROBED = 256
# Steps of the first epoch, evenly spaced, whose forests tell how much there is to compute.
SAMPLED = 6
# float32 numbers that an optimiser keeps a trained weight, and bytes that it moves for each when it steps.
STATE = {"adamw": 2.0, "adamw-8bit": 0.5, "adafactor": 0.0, "muon": 1.0, "sgd": 0.0}
MOVED = {"adamw": 28, "adamw-8bit": 16, "adafactor": 20, "muon": 20, "sgd": 12}
# Weights that are stepped once to see how fast this machine does it.
STEPPED = 2**22
# Muon's Newton–Schulz iterations (Jordan 2024).
ITERATIONS = 5


@dataclass(frozen=True, slots=True)
class Work:
    """What a sample of the run's steps tells of all of them.

    forests: of a step. largest: tokens of the largest forest. operations: floating-point operations a token of an
    epoch (tokens as `LeafStore.tokens` counts them).
    """

    forests: float
    largest: int
    operations: float


def estimate(loop: Loop, store: LeafStore, epochs: float, *, share: bool, measure: bool = True) -> Estimate:
    """Seconds and bytes of a whole run of `loop` over `epochs` passes of the examples of `store`.

    share: whether the model takes shared prefixes. measure: False leaves the time out, and computes no forest but the
    probe's. Where the memory does not suffice the time is left out too.
    """
    work = _work(loop, store)
    memory, per_token = _memory(loop, store, work, share)
    if not measure or (memory.limit is not None and memory.total > memory.limit):
        return Estimate(None, None, memory)
    if loop.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(loop.device)
    pace, warmed = _seconds_per_operation(loop)
    memory = _mended(memory, peak_bytes(loop.device), per_token * (work.largest - warmed), loop.device.type == "cpu")
    step = _optimizer_seconds(loop)
    seconds = pace * work.operations * float(store.tokens().sum()) * epochs + step * loop.steps
    return Estimate(seconds + _validation_seconds(loop, pace, epochs), seconds / loop.steps, memory)


# Memory


def _mended(memory: Memory, peak: int, larger: float, grows: bool) -> Memory:
    """With what two forests really took. peak: bytes then; larger: what the largest forest takes beyond them."""
    taken = max(0, peak - memory.held) + larger
    if grows:
        taken += min(GROWS * taken, GROWS_AT_MOST)
    if not memory.together:  # the second forest came while the first one's gradients were there
        taken -= min(memory.gradients, memory.activations + memory.head)
    return replace(memory, overhead=max(0, int(taken) - memory.passing))


def _memory(loop: Loop, store: LeafStore, work: Work, share: bool) -> tuple[Memory, float]:
    """As reckoned, and the bytes of activations a token."""
    model, settings = loop.model, loop.settings
    trained = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    probe = Layout(probing_forest(store, share), loop.device)
    # Dropout's masks are kept too; the numbers they are drawn from are put back.
    with torch.random.fork_rng(devices=()):
        model.train()
        kept, copies = kept_bytes(model, probe)
        model.eval()
        unfolded = kept_bytes(model, probe)[0] if settings.gradient_checkpointing else kept
    size = len(probe.forest.token)
    layers = int(getattr(model.language_model.config.get_text_config(), "num_hidden_layers", 0) or 1)
    # While a layer goes backward, the gradients of what it keeps are there beside it; a layer that was not kept is
    # computed again.
    passing = (unfolded / layers) * (2 if settings.gradient_checkpointing else 1)
    per_token = (kept + passing) / size
    memory = Memory(
        held=held_bytes(loop.device),
        gradients=4 * trained,
        optimizer=int(4 * STATE[settings.optimizer] * trained),
        activations=int(per_token * work.largest) + copies,
        head=head_bytes(model, work.largest),
        overhead=0,
        together=work.forests > 1,
        limit=memory_limit(loop.device),
    )
    return memory, per_token


def kept_bytes(model: ForestModel, layout: Layout) -> tuple[int, int]:
    """Bytes that autograd keeps of a forest below the head: (of its tokens, copies of weights in another precision).

    The model's own weights do not count, and what is kept for several uses counts once.

    Example: `y = x @ w.T` of x [8, 4] with a trained w [6, 4] keeps x, 128 bytes in float32, and w, which is a weight.
    """
    own = {weight.untyped_storage().data_ptr() for weight in model.parameters()}
    shapes = {shape for weight in model.parameters() for shape in (weight.shape, weight.shape[::-1])}
    tokens: dict[int, int] = {}
    copies: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in own:
            (copies if tensor.ndim == 2 and tensor.shape in shapes else tokens)[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        hidden = model.hidden(layout)  # alive until all is counted, so that no address is used twice
    counted = sum(tokens.values()), sum(copies.values())
    del hidden
    return counted


def head_bytes(model: ForestModel, rows: int) -> int:
    """Bytes that the head works with at most for `rows` supervised tokens: a chunk's logits, its weight's gradient."""
    weight = model.head.weight
    vocabulary = len(weight)
    narrow = 2 if model.dtype != torch.float32 else 0
    chunk = min(max(LEAST_ROWS, LOGIT_BYTES // (4 * vocabulary)), max(1, rows))
    logits = chunk * vocabulary * (8 + narrow)
    copy = narrow * weight.numel() if weight.dtype != model.dtype else 0
    gradient = 4 * weight.numel() if weight.requires_grad else 0
    product = (narrow or 4) * weight.numel() if weight.requires_grad else 0
    return max(logits + copy + gradient + product, 2 * gradient)


def held_bytes(device: torch.device) -> int:
    """What is held now: of the device's memory, or on a CPU by this process."""
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device)
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    import resource
    import sys

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def peak_bytes(device: torch.device) -> int:
    """The most that was held of the device's memory; on a CPU what is held now, for what is freed there is kept."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else held_bytes(device)


def memory_limit(device: torch.device) -> int | None:
    """Bytes that the device has, or the machine, or what this process's group may use of it; None: not known."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[1])
    limits = []
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        limits.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for place in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        told = Path(place).read_text().strip() if Path(place).is_file() else ""
        limits += [int(told)] if told.isdigit() else []
    return min(limits, default=None)


def probing_forest(store: LeafStore, share: bool) -> Forest:
    """The first examples, as many as make about `PROBED` tokens, what is longer cut short."""
    leaves: list[Leaf] = []
    size = 0
    for example in range(len(store)):
        for leaf in store.leaves(example):
            ids = leaf.ids[: PROBED - size + 1]
            leaves.append(Leaf(ids, min(leaf.start, len(ids) - 1)))
            size += len(ids) - 1
            if size >= PROBED - 1:
                return build_forest(leaves, share=share)
    return build_forest(leaves, share=share)


# Time


def _work(loop: Loop, store: LeafStore) -> Work:
    steps = len(loop.batches.order.epoch(0))
    places = np.unique(np.linspace(0, steps - 1, SAMPLED).astype(int)).tolist()
    batches = [loop.batches.at((0, place)) for place in places]
    forests = [forest for batch in batches for forest in batch.forests]
    operations = sum(map(loop.meter.operations, forests)) / sum(batch.tokens for batch in batches)
    sizes = [len(forest.token) for forest in forests]
    # An example that is longer than a forest should be is one by itself.
    longest = int(store.tokens().max(initial=0))
    return Work(len(forests) / len(batches), max([longest, *sizes]), operations)


def _seconds_per_operation(loop: Loop) -> tuple[float, int]:
    """Of the first step's two largest forests, forward and backward, the faster: the first one warms up.

    Also the tokens of the larger one.
    """
    batch = loop.batches.at((0, 0))
    forests = sorted(batch.forests, key=lambda forest: -len(forest.token))[:2]
    if not forests:
        return 0.0, 0
    loop.model.train()
    with torch.random.fork_rng(devices=()):
        paces = []
        for forest in (forests * 2)[:2]:
            _finish(loop.device)
            start = time.perf_counter()
            loss = loop.loss_of(loop.model, Layout(forest, loop.device)) / batch.denominator
            loss.backward()  # type: ignore[no-untyped-call]
            _finish(loop.device)
            paces.append((time.perf_counter() - start) / loop.meter.operations(forest))
    for weight in loop.model.parameters():
        weight.grad = None
    return min(paces), len(forests[0].token)


def _optimizer_seconds(loop: Loop) -> float:
    """Of clipping and a step, from a step of AdamW over some weights of nobody's."""
    trained = sum(weight.numel() for weight in loop.model.parameters() if weight.requires_grad)
    weight = nn.Parameter(torch.zeros(min(trained, STEPPED), device=loop.device))
    adamw = torch.optim.AdamW([weight], fused=True)
    weight.grad = torch.zeros_like(weight)
    for _ in range(2):  # the first one makes the state
        _finish(loop.device)
        start = time.perf_counter()
        torch.nn.utils.clip_grad_norm_([weight], 1.0)
        adamw.step()
        _finish(loop.device)
        seconds = time.perf_counter() - start
    moving = seconds / weight.numel() * trained * MOVED[loop.settings.optimizer] / MOVED["adamw"]
    if loop.settings.optimizer != "muon" or not loop.meter.rate:
        return moving
    return moving + newton_schulz_operations(_hidden_matrices(loop.model)) / loop.meter.rate


def newton_schulz_operations(shapes: Sequence[tuple[int, int]]) -> float:
    """Floating-point operations of Muon's orthogonalisation: per iteration X Xᵀ, its square, and a product with X.

    Of one matrix of 4 × 8, its smaller side n = 4 and its larger m = 8: 5 · (2n²m + 2n³ + 2n²m) = 5 · 640 = 3200.
    """
    sides = [(min(shape), max(shape)) for shape in shapes]
    return float(sum(ITERATIONS * (4 * n * n * m + 2 * n**3) for n, m in sides))


def _hidden_matrices(model: ForestModel) -> list[tuple[int, int]]:
    ends = {id(part.weight) for part in model.modules() if isinstance(part, nn.Embedding)}
    ends.add(id(model.language_model.get_output_embeddings().weight))
    hidden = (weight for weight in model.parameters() if weight.requires_grad and weight.ndim == 2)
    return [(len(weight), weight.shape[1]) for weight in hidden if id(weight) not in ends]


def _validation_seconds(loop: Loop, pace: float, epochs: float) -> float:
    """Forward only: a third of the operations, or half where most weights are frozen and have no gradients."""
    if loop.validation is None:
        return 0.0
    every = loop.settings.validate_every
    times = loop.steps // every if every else int(epochs)
    forests = (forest for batch in loop.validation.all() for forest in batch.forests)
    operations = sum(map(loop.meter.operations, forests))
    trained = sum(weight.numel() for weight in loop.model.parameters() if weight.requires_grad)
    share = 1 / 3 if 2 * trained > sum(weight.numel() for weight in loop.model.parameters()) else 1 / 2
    return pace * operations * share * max(1, times)


def _finish(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
