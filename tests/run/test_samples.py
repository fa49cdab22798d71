"""Samples: which prompts, what people read of them, and answers that are those of the generator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tutelage.generate.generator import Generator
from tutelage.generate.settings import SamplingSettings
from tutelage.model.load import load_model
from tutelage.records import Conversation, Leaf, Message, Part
from tutelage.run import samples
from tutelage.run.samples import ANSWER, OPENING, Sampler, asked, choose_prompts
from tutelage.tokens.chat import ChatFormat
from tutelage.tokens.store import LeafStore, StoreBuilder


@pytest.fixture(scope="module")
def loaded(tiny_llama: Path) -> Any:
    return load_model(str(tiny_llama), device="cpu")


@pytest.fixture(scope="module")
def chat(loaded: Any) -> ChatFormat:
    return ChatFormat(loaded.tokenizer, loaded.tokenizer.chat_template)


def store_of(chat: ChatFormat, pairs: list[tuple[str, str]]) -> LeafStore:
    builder = StoreBuilder()
    for question, answer in pairs:
        messages = (Message("user", (Part(question),)), Message("assistant", (Part(answer),)))
        builder.add(chat.leaves(Conversation(messages)))
    return builder.finish()


def test_prompts_are_questions_each_once(loaded: Any, chat: ChatFormat) -> None:
    pairs = [(f"Question {number % 6}?", f"answer {number}") for number in range(30)]
    found = choose_prompts(store_of(chat, pairs), 4, loaded.tokenizer, chat, openings=False, context=512)
    assert len({prompt.text for prompt in found}) == 4
    for prompt in found:
        assert prompt.text.startswith("Question ")
        assert list(prompt.ids) == chat.prompt_ids([Message("user", (Part(prompt.text),))])
        assert (prompt.text, prompt.reference) in pairs
    again = choose_prompts(store_of(chat, pairs), 4, loaded.tokenizer, chat, openings=False, context=512)
    assert again == found
    assert len(choose_prompts(store_of(chat, pairs), 9, loaded.tokenizer, chat, openings=False, context=512)) == 6
    assert choose_prompts(store_of(chat, pairs), 0, loaded.tokenizer, chat, openings=False, context=512) == []


def test_prompts_leave_room_for_the_answer(loaded: Any, chat: ChatFormat) -> None:
    store = store_of(chat, [("word " * 300, "a"), ("猫在哪里？", "垫子上")])
    (found,) = choose_prompts(store, 4, loaded.tokenizer, chat, openings=False, context=128)
    assert (found.text, found.reference) == ("猫在哪里？", "垫子上")
    assert len(found.ids) + ANSWER <= 128


def test_whole_texts_are_opened(loaded: Any) -> None:
    ids = loaded.tokenizer.encode("The cat sat on the mat, and the dog slept by the door. " * 8)
    builder = StoreBuilder()
    builder.add([Leaf(np.array([*ids, 2]), 1)])
    builder.add([Leaf(np.array([*ids[:9], 2]), 1)])
    found = choose_prompts(builder.finish(), 4, loaded.tokenizer, None, openings=True, context=None)
    assert sorted(len(prompt.ids) for prompt in found) == [5, OPENING]
    assert all("The cat sat on the mat".startswith(prompt.text[:22]) for prompt in found)


def test_a_prompt_that_is_no_plain_question(loaded: Any, chat: ChatFormat) -> None:
    said = ["one", "two", "three"]
    roles = ["user", "assistant", "user"]
    ids = chat.prompt_ids([Message(role, (Part(text),)) for role, text in zip(roles, said, strict=True)])
    text = asked(ids, loaded.tokenizer, chat)
    assert "<|" not in text
    assert all(word in text for word in said)


def test_answers_are_the_generators(loaded: Any, chat: ChatFormat) -> None:
    pairs = [(f"Tell me of {topic}.", "yes") for topic in ("cats", "the dog and the door", "Paris")]
    prompts = choose_prompts(store_of(chat, pairs), 3, loaded.tokenizer, chat, openings=False, context=512)
    sampler = Sampler(prompts, chat.stop_ids, padding=True, held_out=True)
    loaded.model.train()
    numbers = torch.get_rng_state()
    found = sampler.answers(loaded.model, loaded.tokenizer, torch.float32)
    assert loaded.model.training
    assert torch.equal(torch.get_rng_state(), numbers)
    loaded.model.eval()
    generator = Generator(loaded.model, loaded.tokenizer, chat.stop_ids, padding=True)
    expected = generator.complete([prompt.ids for prompt in prompts], SamplingSettings(max_tokens=ANSWER))
    assert found == [one.text.strip() for one in expected]
    rows = sampler.compare(found, ["x", "y", "z"]).rows
    assert [(row.prompt, row.before, row.after) for row in rows] == [
        (prompt.text, old, new) for prompt, old, new in zip(prompts, found, "xyz", strict=True)
    ]


def test_a_slow_model_is_left_where_it_is(loaded: Any, chat: ChatFormat, monkeypatch: pytest.MonkeyPatch) -> None:
    prompts = choose_prompts(store_of(chat, [("Hm?", "yes")]), 1, loaded.tokenizer, chat, openings=False, context=512)
    sampler = Sampler(prompts, chat.stop_ids, padding=True, held_out=True)
    monkeypatch.setattr(samples, "SECONDS", -1.0)
    assert sampler.answers(loaded.model, loaded.tokenizer, torch.float32) == [""]
    assert not loaded.model.training


def test_weights_of_two_precisions(tiny_llama: Path, chat: ChatFormat) -> None:
    net = load_model(str(tiny_llama), device="cpu")
    net.model.model.layers[0].to(torch.bfloat16)
    prompts = choose_prompts(store_of(chat, [("Hm?", "yes")]), 1, net.tokenizer, chat, openings=False, context=512)
    sampler = Sampler(prompts, chat.stop_ids, padding=True, held_out=False)
    assert len(sampler.answers(net.model, net.tokenizer, torch.bfloat16)) == 1
