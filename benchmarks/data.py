"""How many rows a second are read, rendered, tokenised and planned, and in how much memory: Tutelage and TRL.

    .venv/bin/python benchmarks/data.py                       a million synthetic rows, TRL on fewer; many minutes
    .venv/bin/python benchmarks/data.py --rows 20000 --systems tutelage cached
    .venv/bin/python benchmarks/data.py --data FILE.json      Alpaca rows in place of synthetic ones, over and over

One process each, whose tokenizer may use one thread, or with --threads as many as it likes. Rows are conversational
prompt and completion, which both read as they are. TRL: `SFTTrainer._prepare_dataset` with packing. Tutelage: a
source's reading without the cache, with the search for duplicates, and a forest plan of every batch of an epoch;
`cached` is the same from the token cache, `workers` with as many processes as cores. Memory is what the process had at
most of its own (RssAnon), above what it had before. Rates are of processor time too, since a machine that has other
work lies about the clock.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from environments import PEERS, environment
from machine import busy_share, machine
from memory import PeakMemory

RESULTS = Path(__file__).parent / "results" / "data"
SYSTEMS = ("tutelage", "cached", "workers", "trl")
MAX_LENGTH = 2048
BATCH = 32
TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + "
    "'\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


def synthetic(count: int) -> Iterator[tuple[str, str]]:
    """Questions of some 20 words and answers of some 100, of 20,000 made-up words, common ones more often."""
    dice = random.Random(0)
    parts = [a + b for a in (*"bcdfghklmnprstvz", "br", "st") for b in (*"aeiou", "ai", "ou")]
    words = ["".join(dice.choices(parts, k=dice.randint(1, 4))) for _ in range(20_000)]
    weights = [1 / (10 + rank) for rank in range(len(words))]
    pool = dice.choices(words, weights, k=1 << 20)
    for _ in range(count):
        start, asked, answered = dice.randrange(len(pool) - 300), dice.randint(5, 35), dice.randint(20, 180)
        said = pool[start : start + asked + answered]
        yield " ".join(said[:asked]).capitalize() + "?", " ".join(said[asked:]).capitalize() + "."


def repeated(path: Path, count: int) -> Iterator[tuple[str, str]]:
    """Alpaca rows over and over, each with its number."""
    rows = json.loads(path.read_text())
    for number in range(count):
        row = rows[number % len(rows)]
        yield f"{row['instruction']}\n{row['input']} ({number})", row["output"]


def write_rows(pairs: Iterator[tuple[str, str]], path: Path) -> None:
    """As conversational prompt and completion, a row a line."""
    with path.open("w") as file:
        for question, answer in pairs:
            row = {
                "prompt": [{"role": "user", "content": question}],
                "completion": [{"role": "assistant", "content": answer}],
            }
            file.write(json.dumps(row) + "\n")


def write_tokenizer(rows: Path, folder: Path) -> None:
    """A byte-level BPE of 16,000 tokens, learnt from the first rows."""
    from itertools import islice

    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=16_000, special_tokens=special, initial_alphabet=alphabet, show_progress=False
    )
    with rows.open() as file:
        made.train_from_iterator(
            (json.loads(line)["completion"][0]["content"] for line in islice(file, 5_000)), trainer
        )
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|im_end|>", pad_token="<|endoftext|>")
    tokenizer.chat_template = TEMPLATE
    tokenizer.save_pretrained(folder)


def measure_ours(job: dict[str, Any]) -> None:
    """In a process of its own: reads, and plans every batch of an epoch."""
    from transformers import AutoTokenizer

    from tutelage.data.ledger import Ledger
    from tutelage.data.settings import SourceSettings
    from tutelage.run.duplicates import duplicates_in
    from tutelage.run.reading import Ways, read_source
    from tutelage.tokens.cache import TokenCache
    from tutelage.tokens.chat import ChatFormat
    from tutelage.tokens.encode import Encoder
    from tutelage.tokens.planner import Order, plan_forests

    tokenizer = AutoTokenizer.from_pretrained(job["tokenizer"])
    encoder = Encoder(tokenizer, ChatFormat(tokenizer, TEMPLATE), max_length=job["max_length"])
    ways = Ways(TokenCache(Path(job["cache"])) if job["cache"] else None, job["workers"])
    source = SourceSettings(path=Path(job["rows"]))
    with PeakMemory() as memory:
        began, worked = time.perf_counter(), time.process_time()
        with Ledger(None) as ledger:
            read = read_source(source, "sft", encoder, ledger, ways)
        until_read = time.perf_counter() - began
        found = duplicates_in([read]).counts()
        tokens = read.store.tokens()
        forests = 0
        for batch in Order(lambda epoch: tokens, 0, BATCH).epoch(0):
            forests += len(plan_forests([read.store.leaves(int(each)) for each in batch], job["max_length"]))
        seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    told = {
        "rows": len(read.store),
        "packed": forests,
        "tokens": int(tokens.sum()),
        "duplicates": found,
        "seconds": seconds,
        "seconds_until_read": until_read,
        "cpu_seconds": cpu,
        "memory": memory.bytes,
    }
    Path(job["result"]).write_text(json.dumps(told))


def measure(system: str, job: dict[str, Any], log: Path, threads: bool) -> dict[str, Any]:
    """Runs a system in a fresh process. Raises subprocess.CalledProcessError where it fails; its words are in `log`."""
    told = RESULTS / f"{system}.job.json"
    told.write_text(json.dumps(job))
    command = [sys.executable, str(Path(__file__)), "--one", str(told)]
    if system == "trl":
        command = [str(environment("trl", log)), str(PEERS / "trl" / "data.py"), str(told)]
    alone = {} if threads else {"TOKENIZERS_PARALLELISM": "false", "RAYON_NUM_THREADS": "1"}
    alone |= {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    with log.open("a") as out:
        subprocess.run(command, env={**os.environ, **alone}, stdout=out, stderr=subprocess.STDOUT, check=True)
    found: dict[str, Any] = json.loads(Path(job["result"]).read_text())
    return found


def shown(system: str, found: dict[str, Any]) -> str:
    """A line of the table."""
    rate, cpu_rate = found["rows"] / found["seconds"], found["rows"] / found["cpu_seconds"]
    return (
        f"{system:10}{found['rows']:>10,} rows {rate:>10,.0f} rows/s {cpu_rate:>10,.0f} rows/s of processor time"
        f"{found['memory'] / 1e6:>8,.0f} MB"
    )


def main() -> None:
    """Prepares, measures, prints, writes results/data/data.json."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--trl-rows", type=int, default=50_000, help="TRL's, whose rate does not hang on their number")
    parser.add_argument("--data", type=Path, help="an Alpaca file")
    parser.add_argument("--threads", action="store_true", help="let tokenizers use all cores")
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.one:
        measure_ours(json.loads(chosen.one.read_text()))
        return
    RESULTS.mkdir(parents=True, exist_ok=True)
    counts = {system: min(chosen.trl_rows, chosen.rows) if system == "trl" else chosen.rows for system in SYSTEMS}
    files = {count: RESULTS / f"rows-{count}.jsonl" for count in set(counts.values())}
    for count, path in files.items():
        write_rows(repeated(chosen.data, count) if chosen.data else synthetic(count), path)
    write_tokenizer(files[chosen.rows], RESULTS / "tokenizer")
    print(f"others take {busy_share():.0%} of this machine")
    cache = RESULTS / "cache"
    results: dict[str, Any] = {"machine": machine(), "rows": chosen.rows, "data": str(chosen.data or "synthetic")}
    for system in chosen.systems:
        job = {
            "rows": str(files[counts[system]]),
            "tokenizer": str(RESULTS / "tokenizer"),
            "max_length": MAX_LENGTH,
            "folder": str(RESULTS / system),
            "result": str(RESULTS / f"{system}.json"),
            "cache": str(cache) if system == "cached" else None,
            "workers": os.cpu_count() if system == "workers" else 0,
        }
        if system == "cached":
            measure(system, job, RESULTS / "log.txt", chosen.threads)  # this one makes it
        results[system] = measure(system, job, RESULTS / "log.txt", chosen.threads)
        print(shown(system, results[system]), flush=True)
        shutil.rmtree(RESULTS / system, ignore_errors=True)
    shutil.rmtree(cache, ignore_errors=True)
    if {"tutelage", "trl"} <= results.keys():
        ours, theirs = (results[name]["rows"] / results[name]["cpu_seconds"] for name in ("tutelage", "trl"))
        results["ratio"] = ours / theirs
        print(f"Tutelage ÷ TRL, rows a second of processor time: {results['ratio']:.1f}")
    (RESULTS / "data.json").write_text(json.dumps(results, indent=1))
    for path in files.values():
        path.unlink()


if __name__ == "__main__":
    main()
