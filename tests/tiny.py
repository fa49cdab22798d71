"""Tiny random models with real tokenizers, made by the tests: nothing can be downloaded where they run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
SENTENCES = (
    "The cat sat on the mat, and the dog slept by the door.",
    "What is the capital of France? The capital of France is Paris.",
    "猫坐在垫子上。法国的首都是巴黎。请用一句话回答。",
    "Name three colours: red, green and blue. 1 + 2 = 3. 😀",
)


def make_tokenizer(texts: Iterable[str] = SENTENCES, size: int = 512, chat_template: str | None = CHATML) -> Any:
    """A byte-level BPE with ChatML's tokens; its padding token is its stop token, as in many real models."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=size, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>", pad_token="<|im_end|>")
    fast.chat_template = chat_template
    return fast


def architecture(name: str, vocabulary: int, width: int = 64, layers: int = 2, length: int = 512) -> Any:
    """The configuration of a tiny model: llama, mistral, qwen2, qwen3, gemma3, gpt2 or mamba."""
    import transformers as t

    ids = {"bos_token_id": None, "eos_token_id": 2, "pad_token_id": 2}
    modern = {
        "vocab_size": vocabulary,
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": length,
        "initializer_range": width**-0.5,
        **ids,
    }
    return {
        "llama": lambda: t.LlamaConfig(**modern),
        "mistral": lambda: t.MistralConfig(**modern, sliding_window=24),
        "qwen2": lambda: t.Qwen2Config(**modern),
        "qwen3": lambda: t.Qwen3Config(**modern, head_dim=16),
        "gemma3": lambda: t.Gemma3TextConfig(
            **modern,
            head_dim=16,
            sliding_window=16,
            layer_types=["sliding_attention", "full_attention"] * (layers // 2),
        ),
        "gpt2": lambda: t.GPT2Config(
            vocab_size=vocabulary,
            n_embd=width,
            n_layer=layers,
            n_head=4,
            n_positions=length,
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attn_pdrop=0.0,
            **ids,
        ),
        "mamba": lambda: t.MambaConfig(
            vocab_size=vocabulary, hidden_size=width, num_hidden_layers=layers, state_size=4, **ids
        ),
    }[name]()


def make_model(
    folder: Path, name: str = "llama", tokenizer: Any = None, weights: bool = True, seed: int = 0, **sizes: int
) -> Path:
    """A model folder: configuration, tokenizer, and float32 weights unless they are to be random at load."""
    import torch
    from transformers import AutoModelForCausalLM

    tokenizer = tokenizer or make_tokenizer()
    config = architecture(name, len(tokenizer), **sizes)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save_pretrained(folder)
    if weights:
        torch.manual_seed(seed)
        AutoModelForCausalLM.from_config(config, dtype=torch.float32).save_pretrained(folder)
    else:
        config.save_pretrained(folder)
    return folder
