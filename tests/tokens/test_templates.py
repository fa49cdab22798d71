"""The named templates write what their models were trained on, and a recipe's choice is resolved or explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from tutelage.errors import UserError
from tutelage.records import Message
from tutelage.tokens.chat import ChatFormat
from tutelage.tokens.templates import TEMPLATES, resolve_template

from .conversations_for_tests import chat_of, talk
from .tokenizers_for_tests import KINDS, tokenizer_of

TALK = talk("s:Be brief.", "u:Hi", "a:Hello.", "u:Bye")
ALONE = talk("u:Hi")

# What each template's publisher writes for TALK with the generation prompt.
CHATML = (
    "{bos}<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
    "<|im_start|>assistant\nHello.<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n"
)
PUBLISHED = {
    "alpaca": "{bos}Be brief.\n\n### Instruction:\nHi\n\n### Response:\nHello.{eos}\n\n"
    "### Instruction:\nBye\n\n### Response:\n",
    "chatml": CHATML,
    "gemma": "{bos}<start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n<start_of_turn>model\nHello.<end_of_turn>\n"
    "<start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n",
    "hermes": CHATML,
    "llama2": "{bos}[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Hello. {eos}{bos}[INST] Bye [/INST]",
    "llama3": "{bos}<|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\nHello.<|eot_id|>"
    "<|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
    "mistral": "{bos}[INST] Be brief.\n\nHi [/INST] Hello.{eos}[INST] Bye [/INST]",
    "phi3": "{bos}<|system|>\nBe brief.<|end|>\n<|user|>\nHi<|end|>\n<|assistant|>\nHello.<|end|>\n"
    "<|user|>\nBye<|end|>\n<|assistant|>\n",
    "plain": "{bos}Be brief.\nHi\nHello.{eos}\nBye\n",
    "qwen": CHATML,
    "vicuna": "{bos}Be brief. USER: Hi ASSISTANT: Hello.{eos}USER: Bye ASSISTANT:",
    "zephyr": "{bos}<|system|>\nBe brief.{eos}\n<|user|>\nHi{eos}\n<|assistant|>\nHello.{eos}\n"
    "<|user|>\nBye{eos}\n<|assistant|>\n",
}

# What three of them put where a conversation has no system text.
OWN_SYSTEM = {
    "alpaca": "Below is an instruction that describes a task. "
    "Write a response that appropriately completes the request.\n\n### Instruction:\nHi\n\n### Response:\n",
    "qwen": "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful assistant.<|im_end|>\n"
    "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n",
    "vicuna": "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, "
    "detailed, and polite answers to the user's questions. USER: Hi ASSISTANT:",
}


def test_every_template_is_listed_here() -> None:
    assert set(PUBLISHED) == set(TEMPLATES)


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize(("kind", "bos"), [("gpt2_with_beginning", "<|begin|>"), ("gpt2", "")])
def test_text_is_the_published_one_and_begins_as_the_tokenizer_would(name: str, kind: str, bos: str) -> None:
    assert chat_of(kind, name).render(TALK.messages) == PUBLISHED[name].format(bos=bos, eos="<|endoftext|>")


@pytest.mark.parametrize("name", OWN_SYSTEM)
def test_own_system_text(name: str) -> None:
    assert chat_of("gpt2", name).render(ALONE.messages) == OWN_SYSTEM[name]


@pytest.mark.parametrize("name", TEMPLATES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_published_stop_token_where_there_is_one_else_the_end_token(name: str, kind: str) -> None:
    tokenizer = tokenizer_of(kind)
    size = len(tokenizer)
    stop = TEMPLATES[name].stop
    has_it = stop is not None and stop in tokenizer.get_added_vocab()
    chat = chat_of(kind, name)
    assert chat.stop_id == (tokenizer.convert_tokens_to_ids(stop) if has_it else tokenizer.eos_token_id)
    assert set(chat.stop_ids) == {chat.stop_id, tokenizer.eos_token_id}
    assert len(tokenizer) == size, "a token was added in silence"
    assert any("ordinary text" in notice for notice in chat.notices) == (stop is not None and not has_it)


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_beginning_token_is_there_once(name: str) -> None:
    ids = chat_of("llama3", name).prompt_ids(ALONE.messages)
    bos = tokenizer_of("llama3").bos_token_id
    assert ids[0] == bos
    assert ids.count(bos) == 1


def test_a_tokenizer_without_a_template_asks_for_one() -> None:
    with pytest.raises(UserError, match=r"no chat template of its own.*chat_template=chatml.*zephyr"):
        resolve_template(None, tokenizer_of("gpt2"))


def test_null_means_the_tokenizers_own_and_its_default_among_several() -> None:
    tokenizer = KINDS["chatml"]()
    tokenizer.chat_template = "own"
    assert resolve_template(None, tokenizer) == "own"
    tokenizer.chat_template = {"default": "first", "tool_use": "second"}
    assert resolve_template(None, tokenizer) == "first"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [("chatlm", "did you mean chatml?"), ("Llama3", "did you mean llama3?"), ("xyz", "choose one of alpaca")],
)
def test_a_wrong_name_is_told_the_nearest_right_one(wrong: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        resolve_template(wrong, tokenizer_of("gpt2"))
    assert said in str(caught.value)


def test_a_file_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mine.jinja"
    path.write_text("\ufeff{{ messages[-1]['content'] }}", encoding="utf-8")
    assert resolve_template(str(path), tokenizer_of("gpt2")) == "{{ messages[-1]['content'] }}"
    with pytest.raises(UserError, match=r"none\.jinja.*cannot be read"):
        resolve_template(str(tmp_path / "none.jinja"), tokenizer_of("gpt2"))


@pytest.mark.parametrize("name", ["gemma", "llama2", "mistral"])
def test_templates_that_want_roles_to_alternate_say_so(name: str) -> None:
    with pytest.raises(UserError, match="must alternate"):
        chat_of("gpt2", name).render(talk("u:Hi", "u:Are you there?").messages)


def test_the_template_goes_with_the_tokenizer(tmp_path: Path) -> None:
    from transformers import PreTrainedTokenizerFast

    tokenizer = KINDS["llama3"]()
    chat = ChatFormat(tokenizer, resolve_template("vicuna", tokenizer))
    chat.attach(tokenizer)
    tokenizer.save_pretrained(tmp_path)
    loaded = PreTrainedTokenizerFast.from_pretrained(tmp_path)
    again = ChatFormat(loaded, resolve_template(None, loaded))
    messages: tuple[Message, ...] = TALK.messages
    assert again.template == chat.template
    assert again.prompt_ids(messages) == chat.prompt_ids(messages)
    assert again.stop_ids == chat.stop_ids
