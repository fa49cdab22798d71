"""Trains with TRL's SFTTrainer: `python train.py JOB.json`, run by benchmarks/sft.py in this folder's environment.

Rows go in as conversational prompt and completion, of which SFTTrainer learns the completion only. What is not set
here is its default; gradient checkpointing, on by default, is off because it is off in all systems.
"""

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from datasets import Dataset
from recorder import Recorder
from trl import SFTConfig, SFTTrainer


def conversation(row: dict) -> dict:
    """An Alpaca row as TRL's prompt and completion."""
    question = row["instruction"] + ("\n" + row["input"] if row["input"] else "")
    return {
        "prompt": [{"role": "user", "content": question}],
        "completion": [{"role": "assistant", "content": row["output"]}],
    }


def main(job: dict) -> None:
    """Trains as the job says."""
    padding_free = job["padding_free"]
    settings = SFTConfig(
        output_dir=job["output"],
        use_cpu=True,
        bf16=job["dtype"] == "bfloat16",
        per_device_train_batch_size=job["micro_batch"],
        gradient_accumulation_steps=job["batch_size"] // job["micro_batch"],
        max_steps=job["steps"],
        learning_rate=job["learning_rate"],
        lr_scheduler_type="constant",
        weight_decay=0.0,
        max_length=None if padding_free else job["max_length"],
        padding_free=padding_free,
        gradient_checkpointing=False,
        train_sampling_strategy="sequential",
        logging_steps=1,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
        seed=job["seed"],
    )
    trainer = SFTTrainer(
        model=job["model"],
        args=settings,
        train_dataset=Dataset.from_list([conversation(row) for row in json.loads(Path(job["rows"]).read_text())]),
        callbacks=[Recorder(job["output"], job["steps"] * job["batch_size"])],
    )
    trainer.train()


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
