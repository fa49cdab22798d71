"""Conversations to leaves: every supervised turn is the prompt as in serving, the answer's ids, the stop token.

    prompt = render(messages before the turn, with the generation prompt)
    full   = render(messages up to the turn)        = prompt + answer + closing, for nearly every template
    leaf   = ids(prompt) + ids of the answer in its place + [stop]

What is learnt is known from this structure; generation marks in a template are not needed and the padding token is
never looked at. In an ordinary conversation each turn's prompt begins with the turn before, so the leaves merge into
one path of the forest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import numpy as np

from tutelage.errors import UserError
from tutelage.records import Conversation, Leaf, Message
from tutelage.tokens.calls import ending_of_call, holds, texts_of
from tutelage.tokens.probe import QUESTION, ToolUse, ending, leaves_out, shape_of, tool_use, turn_of_words
from tutelage.tokens.rendering import Refused, Renderer, text_of
from tutelage.tokens.vocabulary import Vocabulary

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

TrainOn = Literal["assistant", "last", "everything", "messages"]

HOLDS_SPECIAL = "the text holds {token!r}, a special token of the tokenizer"
REASONING_LOST = (
    "the chat template leaves out reasoning that stands apart from the answer; put it into the content, or choose "
    "another with chat_template=…"
)
NO_TOOLS = "the chat template says nothing of {what}; choose another with chat_template=…"


@dataclass(frozen=True, slots=True)
class Turn:
    """A supervised turn as text. `answer` is what the model is to write before the stop token.

    stop: the token that ends a call of a tool, where it is another one (gpt-oss's `<|call|>`); None: the usual one.
    """

    prompt: str
    answer: str
    stop: str | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """What is encoded for a turn: `start` ends the prompt, `answered` ends prompt and answer.

    goes_on: start begins at the stop token of the turn before, else at the conversation's start. from_header: answered
    begins at the header, else where start begins. stop_id: the token that ends the turn.
    """

    start: str
    answered: str
    goes_on: bool
    from_header: bool
    stop_id: int


def supervised_turns(messages: Sequence[Message], train_on: TrainOn) -> list[int]:
    """The places of the assistant's messages that are learnt.

    A row's `train: false` is heeded, except under "everything", which learns prompts too.

    >>> ask, old, new = Message("user", ()), Message("assistant", (), train=False), Message("assistant", ())
    >>> rows = [ask, old, ask, new]
    >>> [supervised_turns(rows, kind) for kind in ("assistant", "last", "messages", "everything")]
    [[3], [3], [], [1, 3]]
    """
    answers = [place for place, message in enumerate(messages) if message.role == "assistant"]
    wanted: dict[TrainOn, tuple[list[int], Callable[[bool | None], bool]]] = {
        "assistant": (answers, lambda train: train is not False),
        "last": (answers[-1:], lambda train: train is not False),
        "messages": (answers, lambda train: train is True),
        "everything": (answers, lambda train: True),
    }
    places, learnt = wanted[train_on]
    return [place for place in places if learnt(messages[place].train)]


class ChatFormat:
    """A chat template with a tokenizer: the one place where conversations become ids, for training and for serving.

    template: the Jinja text (see `templates.resolve_template`).
    now: the clock a template may ask for the date; a run that is to be repeated fixes it.
    stop_id: ends every turn, but for some templates' calls of tools. stop_ids: what generation stops at: it, the
    tokenizer's end token, and what ends a call.
    closing: what the template writes after an answer.
    notices: sentences about this pair that the person should read once.

    Raises UserError: the template is broken or unsafe, or there is no token to end a turn with.
    """

    def __init__(
        self, tokenizer: PreTrainedTokenizerBase, template: str, now: Callable[[], datetime] = datetime.now
    ) -> None:
        """Probe the template and the tokenizer."""
        self.template = template
        self.vocabulary = Vocabulary(tokenizer)
        self._renderer = Renderer(template, tokenizer.special_tokens_map, now)
        self.shape = shape_of(self._renderer)
        self.closing = self.shape.closing
        self._blanks, self._stop = ending(self.shape, self.vocabulary)
        self.stop_id = self._stop_id()
        self._tools = self._tool_use()
        call_stop = self._call_ending(self._tools.calling)[1]
        ends = (self.stop_id, self.vocabulary.eos_id, None if call_stop is None else self.vocabulary.id_of(call_stop))
        self.stop_ids: tuple[int, ...] = tuple(dict.fromkeys(end for end in ends if end is not None))
        self._chains = self._stop is not None and self.vocabulary.splits_at(self._stop)
        self._header = self._splitting_header()
        self._header_ids = self.vocabulary.ids([self._header])[0]
        self._prefill = self._opened_by_header()
        self._left_out: dict[tuple[str, bool], bool] = {}
        self.notices = tuple(self._notices())

    def render(
        self, messages: Sequence[Message], *, add_generation_prompt: bool = True, tools: Sequence[str] = ()
    ) -> str:
        """The text of a conversation. Raises Refused where it cannot be used, at training and at serving alike."""
        self._check(messages, tools)
        return self._renderer.render(messages, add_generation_prompt=add_generation_prompt, tools=tools)

    def prompt_ids(self, messages: Sequence[Message], tools: Sequence[str] = ()) -> list[int]:
        """The ids after which the model answers: the same at training and at serving."""
        return self.vocabulary.ids([self.render(messages, tools=tools)])[0]

    def attach(self, tokenizer: PreTrainedTokenizerBase) -> None:
        """Make the template the tokenizer's own: the one saved with a model is the one it was trained with."""
        tokenizer.chat_template = self.template

    def leaves(self, conversation: Conversation, train_on: TrainOn = "assistant") -> list[Leaf]:
        """The leaves of a conversation, in order of its turns; [] where nothing of it is learnt. Raises Refused.

        Under "everything" each leaf begins to be learnt where it leaves the ones before it, so that every token but the
        first is learnt once. What follows the last learnt turn belongs to no leaf.
        """
        (found,) = self.leaves_of_many([conversation], train_on)
        if isinstance(found, Refused):
            raise found
        return found

    def leaves_of_many(self, conversations: Sequence[Conversation], train_on: TrainOn) -> list[list[Leaf] | Refused]:
        """`leaves` of each, or its refusal; much faster than one by one."""
        turns: list[list[Turn] | Refused] = []
        for conversation in conversations:
            try:
                turns.append(self.turns(conversation.messages, train_on, conversation.tools))
            except Refused as refusal:
                turns.append(refusal)
        encoded = iter(self._encode([found for found in turns if not isinstance(found, Refused)]))
        leaves = [found if isinstance(found, Refused) else next(encoded) for found in turns]
        if train_on == "everything":
            return [found if isinstance(found, Refused) else each_token_once(found) for found in leaves]
        return leaves

    def turns(self, messages: Sequence[Message], train_on: TrainOn, tools: Sequence[str] = ()) -> list[Turn]:
        """The supervised turns as text. Raises Refused."""
        self._check(messages, tools)
        return [self._turn(messages, place, tools) for place in supervised_turns(messages, train_on)]

    def _turn(self, messages: Sequence[Message], place: int, tools: Sequence[str]) -> Turn:
        message, content = messages[place], text_of(messages[place])
        if not content.strip() and not message.calls:
            raise Refused("an answer is empty")
        prompt = self._renderer.render(messages[:place], add_generation_prompt=True, tools=tools)
        full = self._renderer.render(messages[: place + 1], add_generation_prompt=False, tools=tools)
        if message.calls:
            return self._calling_turn(prompt, full, message)
        answer = self._between(prompt, full, message)
        if answer is None and message.reasoning:
            answer = self._alone(message)
        if answer is None:
            # The template writes a finished turn otherwise than it prompts for one, or loses some of it.
            opened = self._opened(message.reasoning) if message.reasoning else ""
            answer = self._without_prefill(opened + content)
        return Turn(prompt, answer + self._blanks)

    def _between(self, prompt: str, full: str, message: Message) -> str | None:
        """What the template writes between a prompt and its closing, where that is the whole message."""
        if full.startswith(prompt) and full.endswith(self.closing) and len(full) >= len(prompt) + len(self.closing):
            between = full[len(prompt) : len(full) - len(self.closing)]
            if holds(between, text_of(message)) and holds(between, message.reasoning):
                return between
        return None

    def _alone(self, message: Message) -> str | None:
        """How a turn is written after a plain question, where the template rewrites its history (gpt-oss's does)."""
        question = turn_of_words("user", QUESTION)
        try:
            prompt = self._renderer.render([question], add_generation_prompt=True)
            return self._between(
                prompt, self._renderer.render([question, message], add_generation_prompt=False), message
            )
        except Refused:
            return None

    def _calling_turn(self, prompt: str, full: str, message: Message) -> Turn:
        """Of a turn that calls tools, which nobody but the template can write."""
        text, stop = self._call_ending(full)
        if not text.startswith(prompt):
            raise Refused("the chat template writes a tool call otherwise than it prompts for one")
        answer = text[len(prompt) :]
        if not holds(answer, message.reasoning):
            raise Refused(REASONING_LOST)
        if not all(holds(answer, said) for said in (text_of(message), *(call.name for call in message.calls))):
            raise Refused("the chat template leaves out a part of a turn that calls a tool")
        return Turn(prompt, answer, stop)

    def _call_ending(self, full: str) -> tuple[str, str | None]:
        return ending_of_call(full, self._stop, self.closing, self.vocabulary)

    def _opened(self, reasoning: str) -> str:
        """Reasoning between the tags of which the generation prompt opens the first. Raises Refused without such."""
        closed = self._prefill.replace("<", "</", 1)
        if not self._prefill or closed not in self.vocabulary.added:
            raise Refused(REASONING_LOST)
        return f"{self._prefill}\n{reasoning.strip()}\n{closed}\n\n"

    def _without_prefill(self, content: str) -> str:
        """A generation prompt that already opens `<think>` must not be answered by opening it again."""
        if self._prefill and content.lstrip().startswith(self._prefill):
            return content.lstrip().removeprefix(self._prefill).lstrip("\n")
        return content

    def _encode(self, conversations: Sequence[list[Turn]]) -> list[list[Leaf]]:
        """The leaves of conversations of turns: all texts go to the tokenizer in one batch."""
        pieces = [self._pieces(turns) for turns in conversations]
        texts = [text for found in pieces for piece in found for text in (piece.start, piece.answered)]
        encoded = iter(self.vocabulary.ids(texts))
        leaves: list[list[Leaf]] = []
        for turns, found in zip(conversations, pieces, strict=True):
            whole: list[int] = []  # the ids of all the text so far, which a turn that goes on from it begins with
            leaves.append([])
            for turn, piece in zip(turns, found, strict=True):
                start, answered = next(encoded), next(encoded)
                prompt = [*whole, *start[1:]] if piece.goes_on else start
                header = self._header_ids if piece.from_header else start
                answer = self.vocabulary.continuation(header, answered, turn.answer)
                leaves[-1].append(Leaf(np.array([*prompt, *answer, piece.stop_id], np.int32), max(1, len(prompt))))
                whole = [*prompt[: len(prompt) - len(header)], *answered, piece.stop_id]
        return leaves

    def _pieces(self, turns: Sequence[Turn]) -> list[Piece]:
        """What to encode. Where an added token cuts a text, what stands before it is not encoded again.

        So a turn that goes on from the one before is encoded from that one's stop token on, and an answer from its
        header on: the work is linear in the conversation's length.
        """
        pieces = []
        before: str | None = None
        last_stop = self._stop
        for turn in turns:
            stop = turn.stop or self._stop
            goes_on = before is not None and turn.prompt.startswith(before)
            start = f"{last_stop}{turn.prompt[len(before or '') :]}" if goes_on else turn.prompt
            from_header = self._header != "" and start.endswith(self._header)
            answered = (self._header if from_header else start) + turn.answer
            stop_id = self.stop_id if turn.stop is None else self.vocabulary.id_of(turn.stop)
            pieces.append(Piece(start, answered, goes_on, from_header, stop_id))
            chains = self._chains if turn.stop is None else self.vocabulary.splits_at(turn.stop)
            before, last_stop = f"{turn.prompt}{turn.answer}{stop}" if chains else None, stop
        return pieces

    def _check(self, messages: Sequence[Message], tools: Sequence[str]) -> None:
        """Raise Refused where a text would become a control token, or the template leaves out what a role says."""
        token = self.vocabulary.special_in("\0".join([*tools, *(text for m in messages for text in texts_of(m))]))
        if token is not None:
            raise Refused(HOLDS_SPECIAL.format(token=token))
        if tools and not self._tools.offers:
            raise Refused(NO_TOOLS.format(what="the tools that the rows offer"))
        if not self._tools.calls and any(message.calls for message in messages):
            raise Refused(NO_TOOLS.format(what="tool calls"))
        for place, message in enumerate(messages):
            if message.role in ("user", "assistant"):
                continue
            kind = (message.role, place == 0)
            if kind not in self._left_out:
                self._left_out[kind] = leaves_out(self._renderer, message.role, first=kind[1])
            if self._left_out[kind]:
                raise Refused(
                    f"the chat template leaves out what {message.role!r} says; take it out of the rows, or choose "
                    "another with chat_template=…"
                )

    def _tool_use(self) -> ToolUse:
        """Asked of the templates that speak of tools only: a probe costs some milliseconds."""
        return tool_use(self._renderer) if "tool" in self.template else ToolUse(offers=False, calls=False)

    def _stop_id(self) -> int:
        if self._stop is not None:
            return self.vocabulary.id_of(self._stop)
        if self.vocabulary.eos_id is None:
            raise UserError(
                "There is no token to end a turn with: the tokenizer has no end token (eos_token), and none of its "
                "special tokens ends a turn of the chat template."
            )
        return self.vocabulary.eos_id

    def _splitting_header(self) -> str:
        """The template's header if an added token begins it: what follows is encoded the same wherever it stands."""
        found = self.vocabulary.stops.match(self.shape.header)
        return self.shape.header if found and self.vocabulary.splits_at(found.group()) else ""

    def _opened_by_header(self) -> str:
        """An ordinary added token that the generation prompt ends in (`<think>`), else ""."""
        header = self.shape.header.rstrip()
        ends = [token for token in self.vocabulary.added if token.strip() and header.endswith(token)]
        return "" if not ends or self.vocabulary.special_in(ends[0]) else max(ends, key=len)

    def _notices(self) -> Iterator[str]:
        end = self.vocabulary.tokenizer.eos_token
        if self._stop is None and self.closing.strip():
            yield (
                f"The tokenizer has no special token for the {self.closing.strip()!r} that ends a turn of the chat "
                f"template: such markers are ordinary text, and a turn ends in {end!r}."
            )
        if self.shape.opening is None:
            yield (
                "The chat template writes a finished answer otherwise than it prompts for one: answers are learnt as "
                "the rows have them, after the prompt that serving will write."
            )
        elif self.shape.opening.strip() and not self.shape.header:
            yield f"The chat template has no generation prompt: {self.shape.opening!r} is learnt as part of answers."
        if "strftime_now" in self.template:
            yield "The chat template writes today's date: prompts change from day to day."


def each_token_once(leaves: Sequence[Leaf]) -> list[Leaf]:
    """The same leaves, each learnt from where it leaves all earlier ones: every token but the first is learnt, once.

    >>> first, second = Leaf(np.array([1, 5, 7, 2]), 3), Leaf(np.array([1, 5, 7, 2, 6, 8, 2]), 6)
    >>> [leaf.start for leaf in each_token_once([first, second])]
    [1, 4]
    """
    found = []
    for place, leaf in enumerate(leaves):
        start = max([1, *(_common_prefix(leaf, earlier) for earlier in leaves[:place])])
        if start < len(leaf.ids):
            found.append(Leaf(leaf.ids, start))
    return found


def _common_prefix(one: Leaf, other: Leaf) -> int:
    length = min(len(one.ids), len(other.ids))
    differs = np.flatnonzero(one.ids[:length] != other.ids[:length])
    return int(differs[0]) if len(differs) else length
