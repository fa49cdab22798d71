"""Times TRL's own way from a file of rows to packed examples: `python data.py JOB.json`, run by benchmarks/data.py.

It is `SFTTrainer._prepare_dataset` itself, which the trainer calls before it trains: `datasets.map` for the template
and the tokens, again for the labels, then packing. No model is needed for it.
"""

import json
import sys
import time
from pathlib import Path
from types import SimpleNamespace

from datasets import Dataset, disable_caching, disable_progress_bars
from transformers import AutoTokenizer
from trl import SFTConfig, SFTTrainer


def main(job: dict) -> None:
    """Writes what it took."""
    sys.path.insert(0, str(Path(__file__).parents[2]))
    from memory import PeakMemory

    disable_caching()
    disable_progress_bars()
    tokenizer = AutoTokenizer.from_pretrained(job["tokenizer"])
    settings = SFTConfig(
        output_dir=job["folder"], packing=True, max_length=job["max_length"], use_cpu=True, bf16=False, report_to="none"
    )
    trainer = SimpleNamespace(chat_template=None, completion_only_loss=True, _tokenizer=tokenizer)
    with PeakMemory() as memory:
        began, worked = time.perf_counter(), time.process_time()
        rows = Dataset.from_json(job["rows"], cache_dir=job["folder"])
        packed = SFTTrainer._prepare_dataset(trainer, rows, tokenizer, settings, True, None, "train")
        seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    told = {"rows": len(rows), "packed": len(packed), "seconds": seconds, "cpu_seconds": cpu, "memory": memory.bytes}
    Path(job["result"]).write_text(json.dumps(told))


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
