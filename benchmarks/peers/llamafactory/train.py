"""Trains with LLaMA-Factory: `python train.py JOB.json`, run by benchmarks/sft.py in this folder's environment.

recipe.yaml is the run; the paths and sizes come from the job. The empty `torchaudio` beside this file is there because
LLaMA-Factory imports that package for text too, and no build of it fits the torch of this environment.
"""

import json
import os
import sys
from pathlib import Path

os.environ["DISABLE_VERSION_CHECK"] = "1"
sys.path.insert(0, str(Path(__file__).parents[1]))

import yaml
from llamafactory.train.tuner import run_exp
from recorder import Recorder


def main(job: dict) -> None:
    """Trains as the job says."""
    output = Path(job["output"])
    (output / "dataset_info.json").write_text(json.dumps({"rows": {"file_name": job["rows"]}}))
    recipe = yaml.safe_load(Path(__file__).with_name("recipe.yaml").read_text())
    recipe |= {
        "model_name_or_path": job["model"],
        "dataset_dir": str(output),
        "output_dir": str(output / "run"),
        "bf16": job["dtype"] == "bfloat16",
        "per_device_train_batch_size": job["micro_batch"],
        "gradient_accumulation_steps": job["batch_size"] // job["micro_batch"],
        "max_steps": job["steps"],
        "learning_rate": job["learning_rate"],
        "cutoff_len": job["max_length"],
        "seed": job["seed"],
    }
    run_exp(recipe, [Recorder(job["output"], job["steps"] * job["batch_size"])])


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text()))
