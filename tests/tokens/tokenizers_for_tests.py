"""Small tokenizers of each family that matters here, trained in a blink on a few sentences; nothing is downloaded."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

SENTENCES = [
    "The cat sat on the mat and looked at the moon. What is the capital of France? The capital of France is Paris.",
    "Write a poem about the sea.\n\nThe sea is wide, the sea is deep,\nand in the sea the fishes sleep.",
    "Instruction: add two and two. Response: two and two is four. User: hello, assistant! Assistant: hello, user!",
    "### Instruction:\nSay hello.\n\n### Response:\nHello.\n\nUSER: Hi ASSISTANT: Hi there. system user model",
    "<|im_start|>user\nhello<|im_end|>\n[INST] hello [/INST] <<SYS>> hello <</SYS>> <think>\n\n</think>\n\nanswer",
    "你好,世界。请用中文回答。法国的首都是巴黎。今天天气很好。",
    "Emoji 😀 and 👩‍👩‍👧 and naïve café: ça va? 12345 + 678 = 13023.",
] * 3

LLAMA3_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def special(text: str, **how: bool) -> AddedToken:
    """A special token, looked for in the raw text as in all tokenizers of today."""
    return AddedToken(text, special=True, normalized=False, **how)


def byte_level(split: str | None = None) -> Tokenizer:
    """Byte-level BPE, GPT-2's or with another rule for words."""
    tokenizer = Tokenizer(models.BPE())
    words = [pre_tokenizers.Split(Regex(split), "isolated")] if split else []
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [*words, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=split is None)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=700, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return tokenizer


def sentencepiece(blank: str) -> Tokenizer:
    """BPE on blanks as ▁, with byte fallback: Llama 2's.

    blank: who puts a blank before a text: "normalizer" (before every stretch between special tokens), or Metaspace's
    prepend scheme, "first" or "always".
    """
    taught = Tokenizer(models.BPE())
    taught.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
    taught.train_from_iterator(SENTENCES, trainers.BpeTrainer(vocab_size=500, show_progress=False))
    learnt = json.loads(taught.to_str())["model"]
    pieces = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256)), *learnt["vocab"]]
    vocab = {piece: number for number, piece in enumerate(pieces)}
    merges = [tuple(pair) for pair in learnt["merges"]]
    tokenizer = Tokenizer(models.BPE(vocab, merges, byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    if blank == "normalizer":
        tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    else:
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme=blank, split=False)
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    return tokenizer


def begin_with(tokenizer: Tokenizer, bos: str, eos: str = "") -> None:
    """Let the tokenizer itself put `bos` before a text, and `eos` after it."""
    ends = [token for token in (bos, eos) if token]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}".strip(), special_tokens=[(token, tokenizer.token_to_id(token)) for token in ends]
    )


def wrapped(tokenizer: Tokenizer, **named: str) -> PreTrainedTokenizerFast:
    """As `transformers` hands tokenizers out."""
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, **named)


def gpt2() -> PreTrainedTokenizerFast:
    """A base model's: one end token, no beginning, none of the chat markers."""
    tokenizer = byte_level()
    tokenizer.add_special_tokens([special("<|endoftext|>")])
    return wrapped(tokenizer, bos_token="<|endoftext|>", eos_token="<|endoftext|>")


def gpt2_with_beginning() -> PreTrainedTokenizerFast:
    """As gpt2, but a beginning token is put before every text, and the end token after it."""
    tokenizer = byte_level()
    tokenizer.add_special_tokens([special("<|begin|>"), special("<|endoftext|>")])
    begin_with(tokenizer, "<|begin|>", "<|endoftext|>")
    return wrapped(tokenizer, bos_token="<|begin|>", eos_token="<|endoftext|>", pad_token="<|endoftext|>")


def chatml() -> PreTrainedTokenizerFast:
    """Qwen's: ChatML markers, thinking tags that are added but not special, and padding that equals the stop token."""
    tokenizer = byte_level(LLAMA3_SPLIT)
    tokenizer.add_special_tokens([special(token) for token in ("<|endoftext|>", "<|im_start|>", "<|im_end|>")])
    tokenizer.add_tokens([AddedToken(tag, normalized=False) for tag in ("<think>", "</think>")])
    return wrapped(tokenizer, eos_token="<|im_end|>", pad_token="<|im_end|>")


def llama3() -> PreTrainedTokenizerFast:
    """Llama 3's: its markers, its rule for words, and a beginning token put before every text."""
    tokenizer = byte_level(LLAMA3_SPLIT)
    names = ("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
    tokenizer.add_special_tokens([special(token) for token in names])
    begin_with(tokenizer, "<|begin_of_text|>")
    return wrapped(tokenizer, bos_token="<|begin_of_text|>", eos_token="<|end_of_text|>")


def phi3() -> PreTrainedTokenizerFast:
    """Phi-3's: SentencePiece with markers that swallow the blanks after them."""
    tokenizer = sentencepiece("first")
    tokenizer.add_special_tokens([special("<s>"), special("</s>")])
    tokenizer.add_special_tokens(
        [special(f"<|{name}|>", rstrip=True) for name in ("system", "user", "assistant", "end")]
    )
    return wrapped(tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def greedy() -> PreTrainedTokenizerFast:
    """Markers that swallow the blanks before them: the text before such a token depends on it."""
    tokenizer = byte_level()
    names = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
    tokenizer.add_special_tokens([special(token, lstrip=True) for token in names])
    return wrapped(tokenizer, eos_token="<|endoftext|>")


def llama2(blank: str) -> PreTrainedTokenizerFast:
    """Llama 2's: see `sentencepiece`."""
    tokenizer = sentencepiece(blank)
    tokenizer.add_special_tokens([special("<s>"), special("</s>")])
    begin_with(tokenizer, "<s>")
    return wrapped(tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def normalized() -> PreTrainedTokenizerFast:
    """Special tokens that are looked for after normalisation, as in Llama 2's first files."""
    tokenizer = sentencepiece("normalizer")
    names = ("<s>", "</s>", "<|im_start|>", "<|im_end|>")
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=True) for name in names])
    return wrapped(tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


KINDS: dict[str, Callable[[], PreTrainedTokenizerFast]] = {
    "gpt2": gpt2,
    "gpt2_with_beginning": gpt2_with_beginning,
    "chatml": chatml,
    "llama3": llama3,
    "phi3": phi3,
    "greedy": greedy,
    "normalized": normalized,
    "llama2_first": lambda: llama2("first"),
    "llama2_always": lambda: llama2("always"),
    "llama2_normalizer": lambda: llama2("normalizer"),
}


@cache
def tokenizer_of(kind: str) -> PreTrainedTokenizerFast:
    """One of `KINDS`, made once; do not change it (ask `KINDS` for your own)."""
    return KINDS[kind]()
