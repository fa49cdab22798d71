"""What flows between the rooms: frozen dataclasses without behaviour.

    row --data--> Conversation | Completion | Document --tokens--> Leaf --tokens--> Forest --model--> log-probabilities

Arrays are numpy here, so that reading and planning need no torch; `model` turns them into tensors on a device.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a message's content. `kind` is "text" today; others are recognised and quarantined."""

    text: str
    kind: str = "text"


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A tool that an assistant's turn calls. `arguments` is the text of a JSON object; `id` is what an answer names."""

    name: str
    arguments: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """One turn.

    train: what the row itself says of learning it; None leaves it to the recipe's `objective.train_on`.
    reasoning: what the assistant thought before its content. calls: the tools it calls after it.
    name, call_id: of a tool's answer (role "tool"): which tool it was, which call it answers.
    """

    role: str
    content: tuple[Part, ...]
    train: bool | None = None
    reasoning: str = ""
    calls: tuple[ToolCall, ...] = ()
    name: str | None = None
    call_id: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """Turns that a chat template renders; the assistant's are learnt.

    tools: what the assistant may call, each the text of a JSON object {"type": "function", "function": {…}}.
    """

    messages: tuple[Message, ...]
    tools: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """Raw text after raw text, without a chat template; the completion is learnt."""

    prompt: str
    completion: str


@dataclass(frozen=True, slots=True)
class Document:
    """Text for pretraining; all of it is learnt."""

    text: str


Record = Conversation | Completion | Document


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a record came from.

    row: counts lines of a line-based file from 1, else elements of the array from 1; of a task, the number in the
    item's id, from 0.
    """

    path: str
    row: int


@dataclass(frozen=True, slots=True)
class Leaf:
    """A token sequence whose ids from `start` on are supervised; those before are the prompt.

    ids: int32 [L], L >= 2; 1 <= start < L.
    """

    ids: NDArray[np.int32]
    start: int


@dataclass(frozen=True, slots=True)
class Forest:
    """Sequences in one row, in depth-first order of their prefix trees: what is shared is there once. No padding.

    token, position, subtree_end: int64 [T]. Token k is visible to token q exactly when `k <= q < subtree_end[k]`.
    source, target, sequence: int64 [N], weight: float32 [N]. The hidden state at `source` predicts `target`, in the
    order of the leaves given; `sequence` is the number of the leaf.
    """

    token: NDArray[np.int64]
    position: NDArray[np.int64]
    subtree_end: NDArray[np.int64]
    source: NDArray[np.int64]
    target: NDArray[np.int64]
    weight: NDArray[np.float32]
    sequence: NDArray[np.int64]
