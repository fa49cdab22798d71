"""What every system trains on: the same rows, the same tokenizer, the same random model of SmolLM2-135M's shape.

    python benchmarks/shape.py FOLDER --seed 0 --data FILE

writes into FOLDER: `rows.json` (Alpaca rows, as Tutelage reads them), `ordered.json` (the same rows in the order in
which Tutelage's seed visits them, for peers that do not shuffle), `tokens.json` (what every row must become:
lengths and a digest), `model/` (float32 weights, tokenizer, chat template). It runs in a process of its own so that
the one that measures stays small.

The tokenizer is byte-level BPE, learnt from the rows with the pre-tokenization of Llama 3; conversations are laid
out as Llama 3 does it, because there the assistant's turn ends exactly in its stop token: systems that supervise
all that a template writes for the assistant and systems that supervise up to the stop token then learn the same
tokens. (ChatML ends a turn in a stop token and a newline, and LLaMA-Factory learns that newline.)
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
from pathlib import Path
from typing import Any

Row = dict[str, str]

SPECIAL = ["<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>", "<|eom_id|>", "<|pad|>"]
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}<|start_header_id|>{{ message['role'] }}<|end_header_id|>\n\n"
    "{{ message['content'] }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}<|start_header_id|>assistant<|end_header_id|>\n\n{% endif %}"
)
PRE_TOKENIZATION = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
VOCABULARY = 49152
LEARNT_VOCABULARY = 16384

# The characters of alpaca_en_demo.json's prompts and answers at every tenth of the rows, shortest to longest.
PROMPT_CHARACTERS = (16, 40, 47, 54, 61, 68, 76, 89, 107, 137, 802)
ANSWER_CHARACTERS = (1, 42, 77, 145, 265, 465, 697, 1067, 1388, 1728, 2837)


def made_rows(count: int = 1000, seed: int = 0) -> list[Row]:
    """Alpaca rows of invented words with the demo file's lengths, for machines that do not have that file."""
    draw = random.Random(seed)
    syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "an", "er", "is")]
    words = ["".join(draw.choices(syllables, k=draw.randint(1, 4))) for _ in range(6000)]
    weights = [1 / (rank + 3) for rank in range(len(words))]

    def text(characters: float) -> str:
        chosen = draw.choices(words, weights, k=int(characters / 3) + 1)
        return " ".join(chosen)[: max(1, int(characters))].strip() or "a"

    def length(table: tuple[int, ...]) -> float:
        place = draw.random() * (len(table) - 1)
        below = int(place)
        return table[below] + (place - below) * (table[below + 1] - table[below])

    return [
        {"instruction": text(length(PROMPT_CHARACTERS)), "input": "", "output": text(length(ANSWER_CHARACTERS))}
        for _ in range(count)
    ]


def read_rows(path: Path) -> list[Row]:
    """The file's rows, stripped, without those that have nothing to learn, so that no system treats one differently."""
    rows = [
        {key: row.get(key, "").strip() for key in ("instruction", "input", "output")}
        for row in json.loads(path.read_text())
    ]
    return [row for row in rows if row["instruction"] and row["output"]]


def user_turn(row: Row) -> str:
    """The instruction, then the input on a line of its own where there is one."""
    return row["instruction"] + ("\n" + row["input"] if row["input"] else "")


def make_tokenizer(rows: list[Row]) -> Any:
    """Learns the BPE from the rows, and wraps it with the chat template."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bare = Tokenizer(models.BPE())
    bare.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PRE_TOKENIZATION), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    bare.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=LEARNT_VOCABULARY,
        special_tokens=SPECIAL,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bare.train_from_iterator((user_turn(row) + "\n\n" + row["output"] for row in rows), trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bare,
        bos_token=SPECIAL[0],
        eos_token=SPECIAL[1],
        pad_token=SPECIAL[5],
        additional_special_tokens=SPECIAL[2:5],
        clean_up_tokenization_spaces=False,
        model_max_length=8192,
    )
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def make_model(seed: int, tokenizer: Any) -> Any:
    """SmolLM2-135M's configuration, random weights that bfloat16 holds exactly: loading in it rounds nothing."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=576,
        intermediate_size=1536,
        num_hidden_layers=30,
        num_attention_heads=9,
        num_key_value_heads=3,
        max_position_embeddings=8192,
        initializer_range=1 / 24,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        rope_parameters={"rope_type": "default", "rope_theta": 100000.0},
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    torch.manual_seed(seed)
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.bfloat16().float())
    return model


def lengths_and_digest(rows: list[Row], tokenizer: Any) -> dict[str, Any]:
    """[prompt tokens, answer tokens] and a digest of ids and span for every row, to hold the systems against."""
    lengths, digests = [], []
    for row in rows:
        turn = [{"role": "user", "content": user_turn(row)}]
        prompt = tokenizer.apply_chat_template(turn, add_generation_prompt=True, return_dict=False)
        whole = tokenizer.apply_chat_template(
            [*turn, {"role": "assistant", "content": row["output"]}], return_dict=False
        )
        if whole[: len(prompt)] != prompt:
            raise SystemExit(f"a prompt is not the beginning of its conversation: {row['instruction']!r}")
        lengths.append([len(prompt), len(whole) - len(prompt)])
        digests.append(row_digest(whole, len(prompt)))
    return {"lengths": lengths, "digests": digests}


def row_digest(ids: list[int], start: int) -> str:
    """The digest of one row's token ids and of where its supervised tokens start."""
    return hashlib.sha256(f"{start} {list(ids)}".encode()).hexdigest()[:16]


def main() -> None:
    """Writes the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, help="Alpaca rows; without it, rows are made")
    arguments = parser.parse_args()

    from tutelage.tokens.planner import permutation

    rows = read_rows(arguments.data) if arguments.data else made_rows(seed=arguments.seed)
    ordered = [rows[place] for place in permutation(arguments.seed, 0, len(rows))]
    arguments.folder.mkdir(parents=True, exist_ok=True)
    (arguments.folder / "rows.json").write_text(json.dumps(rows))
    (arguments.folder / "ordered.json").write_text(json.dumps(ordered))
    tokenizer = make_tokenizer(rows)
    tokens = lengths_and_digest(ordered, tokenizer)
    tokens["learnt_vocabulary"] = len(tokenizer)
    (arguments.folder / "tokens.json").write_text(json.dumps(tokens))
    tokenizer.save_pretrained(arguments.folder / "model")
    model = make_model(arguments.seed, tokenizer)
    model.save_pretrained(arguments.folder / "model")


if __name__ == "__main__":
    main()
