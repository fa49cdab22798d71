"""Holds what `tutelage tune` expects before its first step against what the run then takes: peak memory and time.

    .venv/bin/python benchmarks/estimate.py                        both shapes, bfloat16 and float32, full and LoRA
    .venv/bin/python benchmarks/estimate.py --shapes small --steps 6

Each run is a process of its own, so that the peaks are its own. Memory is what the kernel counted as the most that was
ever resident; time is the sum of the steps' own seconds. Time is only worth reading on a machine that does nothing
else; memory always is.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from machine import busy_share
from sft import DEMO, RESULTS, run_script
from watch import quiet_environment

# Width, inner width, layers, heads, groups of keys: SmolLM2-135M's, and a small one.
SMALL = {"hidden_size": 256, "intermediate_size": 704, "num_hidden_layers": 6, "num_attention_heads": 8}
METHODS = {"full": [], "lora": ["adapter=lora"], "checkpointed": ["train.gradient_checkpointing=true"]}
HEAD = ("shape", "dtype", "method", "expected", "measured", "ratio", "s expected", "s measured", "ratio")


@dataclass(frozen=True)
class Found:
    """One run: bytes and seconds, as expected before the first step and as they were; the expected parts of memory."""

    expected_bytes: int
    measured_bytes: int
    expected_seconds: float
    measured_seconds: float
    parts: dict[str, Any]


def make_shapes(folder: Path, shapes: list[str]) -> dict[str, Path]:
    """The folders of the models: rows and the 135M model as benchmarks/shape.py makes them, the small one beside it."""
    if not (folder / "model" / "model.safetensors").exists():
        run_script("shape.py", str(folder), *(["--data", str(DEMO)] if DEMO.exists() else []))
    small = folder / "small"
    if "small" in shapes and not small.exists():
        shutil.copytree(folder / "model", small, ignore=shutil.ignore_patterns("*.safetensors"))
        config = json.loads((small / "config.json").read_text())
        (small / "config.json").write_text(json.dumps({**config, **SMALL, "num_key_value_heads": 4, "head_dim": 32}))
        make_weights(small)
    return {"135M": folder / "model", "small": small}


def make_weights(folder: Path) -> None:
    """Random ones, in a process that ends, so that this one stays small (a child's peak starts at its parent's)."""
    code = (
        "import sys\nfrom transformers import AutoConfig, AutoModelForCausalLM\n"
        "AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(sys.argv[1])).save_pretrained(sys.argv[1])"
    )
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, capture_output=True)


def one_run(model: Path, rows: Path, dtype: str, method: str, steps: int, batch: int) -> Found:
    """Runs the command and reads its events."""
    with tempfile.TemporaryDirectory() as output:
        words = [f"model={model}", f"data={rows}", f"output={output}/run", f"train.dtype={dtype}", "report.samples=0"]
        words += [f"train.max_steps={steps}", f"train.batch_size={batch}", *METHODS[method]]
        command = [sys.executable, "-m", "tutelage", "tune", *words, "--json"]
        done = subprocess.run(command, capture_output=True, text=True, env=quiet_environment(Path(output) / "cache"))
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    events = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    cost = next(event["preflight"]["estimate"] for event in events if event["event"] == "planned")
    told = [event["metrics"] for event in events if event["event"] == "stepped"]

    from tutelage.run.preflight import Memory

    return Found(
        expected_bytes=Memory(**cost["memory"]).total,
        measured_bytes=max(int(step["memory_bytes"]) for step in told),
        expected_seconds=cost["seconds"],
        measured_seconds=sum(step["seconds"] for step in told),
        parts=cost["memory"],
    )


def main() -> None:
    """All runs, a line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--shapes", nargs="+", choices=("135M", "small"), default=["135M", "small"])
    parser.add_argument("--dtypes", nargs="+", choices=("bfloat16", "float32"), default=["bfloat16", "float32"])
    parser.add_argument("--methods", nargs="+", choices=METHODS, default=["full", "lora"])
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--folder", type=Path, default=RESULTS / "shape", help="where the models are, or are made")
    chosen = parser.parse_args()
    folders = make_shapes(chosen.folder, chosen.shapes)
    print(f"others use {busy_share():.0%} of the cores")
    print("  ".join(f"{name:>12}" for name in HEAD), flush=True)
    found = {}
    for shape, dtype, method in product(chosen.shapes, chosen.dtypes, chosen.methods):
        rows = chosen.folder / "rows.json"
        one = one_run(folders[shape], rows, dtype, method, chosen.steps, chosen.batch_size)
        found[f"{shape} {dtype} {method}"] = one.__dict__
        cells = [shape, dtype, method, f"{one.expected_bytes / 1e9:.2f} GB", f"{one.measured_bytes / 1e9:.2f} GB"]
        cells += [f"{one.expected_bytes / one.measured_bytes:.2f}"]
        cells += [f"{one.expected_seconds:.1f}", f"{one.measured_seconds:.1f}"]
        cells += [f"{one.expected_seconds / one.measured_seconds:.2f}"]
        print("  ".join(f"{cell:>12}" for cell in cells), flush=True)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "estimate.json").write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
