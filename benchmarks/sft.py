"""Times TRL's SFTTrainer, LLaMA-Factory and Tutelage on the same rows, and compares memory and loss.

    .venv/bin/python benchmarks/sft.py                      everything, under ten minutes on two cores
    .venv/bin/python benchmarks/sft.py --rounds 3           A B C A B C A B C: ranges over rounds
    .venv/bin/python benchmarks/sft.py --dtype float32 --steps 1 --systems trl tutelage
    .venv/bin/python benchmarks/sft.py --setup-only         makes the peers' environments and stops

Each system trains alone, in a fresh process, in its own environment, with torch's own choice of threads. Ratios are
taken step by step: the same batch in the same place. docs/benchmarks.md says what is the same and what is not.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from environments import environment
from machine import busy_share, machine
from rate import needed_operations
from report import Conditions, Run, as_json, facts_of, markdown, rows_of, run_of, screen, write_document
from systems import ROOT, SYSTEMS, Job
from watch import watch

HERE = Path(__file__).parent
RESULTS = HERE / "results"
DEMO = ROOT.parent / "shared/data/sft/alpaca_en_demo.json"


def say(text: str) -> None:
    """One line of progress, at once."""
    print(text, flush=True)


def options() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", nargs="+", choices=SYSTEMS, default=list(SYSTEMS))
    parser.add_argument("--rounds", type=int, default=1, help="how often all systems run, one after the other")
    parser.add_argument("--steps", type=int, default=3, help="measured steps of each run")
    parser.add_argument("--warmup", type=int, default=1, help="steps before them, at least 1")
    parser.add_argument("--batch-size", type=int, default=16, help="examples of an optimiser step")
    parser.add_argument("--micro-batch", type=int, default=8, help="the peers' per-device batch: 8 is their default")
    parser.add_argument("--dtype", choices=("bfloat16", "float32"), default="bfloat16")
    parser.add_argument("--learning-rate", type=float, default=2e-4)
    parser.add_argument("--max-length", type=int, default=2048)
    parser.add_argument("--tokens-per-forest", type=int, help="Tutelage's; without it, its default")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float, default=900, help="seconds after which one run is stopped")
    parser.add_argument("--data", type=Path, default=DEMO, help="Alpaca rows; where it is absent, rows are made")
    parser.add_argument("--document", type=Path, help="also put the table between the marks of this file")
    parser.add_argument("--setup-only", action="store_true", help="make the peers' environments and stop")
    parser.add_argument("--keep", action="store_true", help="keep the models that the systems wrote")
    chosen = parser.parse_args()
    if min(chosen.warmup, chosen.steps, chosen.rounds) < 1 or chosen.batch_size % chosen.micro_batch:
        parser.error("warmup, steps and rounds are at least 1, and batch-size is a multiple of micro-batch")
    return chosen


def make_environments(systems: list[str]) -> None:
    """Before anything is measured; a peer that can't be installed fails later, alone, in its own row."""
    for name in sorted({name.split("-")[0] for name in systems} - {"tutelage"}):
        log = RESULTS / f"{name}-pip.txt"
        try:
            environment(name, log)
        except (OSError, subprocess.CalledProcessError) as error:
            say(f"  the environment of {name} could not be made: {error} ({log})")


def run_script(script: str, *arguments: str) -> None:
    """Runs one of this folder's scripts in a process of its own, so that this one stays small.

    (A child's `ru_maxrss` starts at what its parent held when it was started.)
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_", "MKL_"))}
    done = subprocess.run([sys.executable, str(HERE / script), *arguments], env=kept, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{script} failed:\n{done.stderr[-2000:]}")


def make_shape(chosen: argparse.Namespace) -> tuple[Path, dict[str, Any]]:
    """The folder with rows, tokenizer and model, and what each row of this run becomes in tokens."""
    shape = RESULTS / "shape"
    data = ["--data", str(chosen.data)] if chosen.data.exists() else []
    say(f"making rows, tokenizer and model from {chosen.data.name if data else 'made rows'}")
    run_script("shape.py", str(shape), "--seed", str(chosen.seed), *data)
    tokens = json.loads((shape / "tokens.json").read_text())
    count = (chosen.warmup + chosen.steps) * chosen.batch_size
    if count > len(tokens["lengths"]):
        raise SystemExit(f"{count} rows are needed, there are {len(tokens['lengths'])}: take fewer steps")
    longest = max(map(sum, tokens["lengths"]))
    if longest > chosen.max_length:
        raise SystemExit(f"a row has {longest} tokens and would be cut: take --max-length {longest}")
    return shape, tokens


def measured_rate(dtype: str) -> tuple[float, int]:
    """(operations a second, threads) of this machine now."""
    run_script("rate.py", str(RESULTS / "rate.json"), "--dtype", dtype)
    rate = json.loads((RESULTS / "rate.json").read_text())
    return rate[dtype], rate["threads"]


def other_tokens(folder: Path, lines: list[dict[str, Any]], expected: dict[str, Any], batch_size: int) -> str | None:
    """How what the system trained on differs from what it should have, in words; None where it does not.

    Peers tell a digest of every row; Tutelage tells how many tokens it supervised in each step.
    """
    told = folder / "data.json"
    if told.exists():
        digests = json.loads(told.read_text())
        wrong = [row for row, (a, b) in enumerate(zip(digests, expected["digests"], strict=False)) if a != b]
        return f"no: {len(wrong)} of {len(digests)} rows differ, the first is {wrong[0]}" if wrong else None
    for step, line in enumerate(lines):
        rows = expected["lengths"][step * batch_size : (step + 1) * batch_size]
        right, here = sum(answer for _, answer in rows), line.get("supervised_tokens")
        if here != right:
            return f"no: step {step + 1} supervised {here} tokens, not {right}"
    return None


def one_run(name: str, round_: int, job: Job, tokens: dict[str, Any], chosen: argparse.Namespace) -> Run:
    """One system, once. Whatever goes wrong is in the run's `failure`; nothing stops the others."""
    folder = RESULTS / "runs" / f"{name}-{round_}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    say(f"{SYSTEMS[name].label}, round {round_ + 1} of {chosen.rounds}")

    def on_step(step: int, seconds: float, line: dict[str, Any]) -> None:
        say(f"  step {step} of {job.steps}  {seconds:6.1f} s  loss {line['loss']:.5f}")

    try:
        launch = SYSTEMS[name].launch(job, folder)
        seen = watch(launch.command, folder, launch.metrics, chosen.limit, on_step)
        difference = (
            other_tokens(folder, seen.lines, tokens, job.batch_size) if seen.lines else "nothing was trained on"
        )
        run = run_of(name, seen, chosen.warmup, chosen.steps, difference)
        say(f"  peak {run.training_peak_bytes / 2**30:.2f} GiB; same token ids, same supervised: {difference or 'yes'}")
    except (OSError, subprocess.CalledProcessError, ValueError, KeyError) as error:
        run = Run(name, [], [], [], 0, 0, f"{type(error).__name__}: {error}"[:200])
    if run.failure:
        say(f"  failed: {run.failure} (log: {folder / 'log.txt'})")
    if not chosen.keep:
        for heavy in (folder / "run", folder / "cache"):
            shutil.rmtree(heavy, ignore_errors=True)
    return run


def main() -> None:
    """Sets up, runs all systems in turn, reports."""
    chosen = options()
    RESULTS.mkdir(exist_ok=True)
    make_environments(chosen.systems)
    if chosen.setup_only:
        return
    shape, tokens = make_shape(chosen)
    batch, steps = chosen.batch_size, chosen.warmup + chosen.steps
    lengths = tokens["lengths"][: steps * batch]
    needed = [needed_operations(lengths[step * batch : (step + 1) * batch]) for step in range(chosen.warmup, steps)]
    busy = [busy_share()]
    rate, threads = measured_rate(chosen.dtype)
    say(f"matrix rate {rate / 1e9:.0f} GFLOP/s in {chosen.dtype}, {threads} threads; others use {100 * busy[0]:.0f} %")
    shared = {key: getattr(chosen, key) for key in Job.__dataclass_fields__ if hasattr(chosen, key)}
    job = Job(**{**shared, "shape": str(shape), "steps": steps})
    order = [(name, round_) for round_ in range(chosen.rounds) for name in chosen.systems]
    runs = [one_run(name, round_, job, tokens, chosen) for name, round_ in order]
    busy.append(busy_share())
    rates = [rate, measured_rate(chosen.dtype)[0]]

    conditions = Conditions(asdict(job), machine(), chosen.rounds, chosen.warmup, lengths, needed, rates, threads, busy)
    rows = rows_of(runs, {name: SYSTEMS[name].label for name in chosen.systems}, conditions)
    facts = facts_of(conditions, chosen.data.name if chosen.data.exists() else "made rows")
    report(chosen, rows, facts, asdict(conditions) | {"runs": [as_json(run) for run in runs]})


def report(chosen: argparse.Namespace, rows: list[list[str]], facts: list[str], results: dict[str, Any]) -> None:
    """To the screen, to results/, and to a document where one is named."""
    file = RESULTS / f"sft-{chosen.dtype}"
    table = markdown(rows, facts)
    file.with_suffix(".md").write_text(table)
    file.with_suffix(".json").write_text(json.dumps(results, indent=1))
    if chosen.document:
        write_document(chosen.document, table)
    say("\n" + screen(rows) + "\n\n" + "\n".join(facts) + f"\n{file}.json, .md")


if __name__ == "__main__":
    main()
