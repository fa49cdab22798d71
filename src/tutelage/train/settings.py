"""The `train.*` part of a recipe: how long, how fast, in what precision, and what is kept."""

from typing import Literal

from pydantic import Field

from tutelage.settings import Settings


class TrainSettings(Settings):
    """The loop's settings. Every default is a good one for tuning a pretrained model."""

    epochs: float = Field(3.0, gt=0, description="passes over the data; ignored where max_steps is given")
    max_steps: int | None = Field(None, ge=1, description="optimiser steps")
    batch_size: int = Field(16, ge=1, description="examples a step, over all forests and ranks")
    batch_tokens: int | None = Field(None, ge=1, description="tokens a step, in place of batch_size")
    shuffle: bool = Field(
        True, description="draw the order anew every epoch; false: as the data has it, for text that grows harder"
    )
    tokens_per_forest: int | None = Field(
        None,
        ge=16,
        description="tokens that go through the model at once: memory, not results. null: 1024 on a CPU, 8192 on a GPU",
    )
    learning_rate: float | None = Field(
        None, gt=0, description="null: 2e-5 for full tuning, 2e-4 for adapters, 3e-4 for pretraining"
    )
    schedule: Literal["cosine", "linear", "constant", "warmup-stable-decay"] = Field(
        "cosine", description="after the warm-up"
    )
    warmup: float = Field(0.03, ge=0, description="a share of all steps below 1, else a number of steps")
    decay: float = Field(0.2, ge=0, le=1, description="warmup-stable-decay: the share of steps that decays at the end")
    final_learning_rate: float = Field(
        0.0, ge=0, le=1, description="where the schedule ends, as a share of learning_rate"
    )
    optimizer: Literal["adamw", "adamw-8bit", "adafactor", "muon", "sgd"] = Field(
        "adamw", description="how gradients become steps"
    )
    beta1: float = Field(0.9, ge=0, lt=1, description="AdamW's and Muon's first momentum; SGD's momentum is 0")
    beta2: float = Field(0.999, ge=0, lt=1, description="AdamW's second momentum")
    epsilon: float = Field(1e-8, gt=0, description="AdamW's")
    weight_decay: float = Field(0.0, ge=0, description="decoupled, on matrices only (never on norms and biases)")
    clip: float | None = Field(1.0, gt=0, description="largest gradient norm; null: none")
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="of the computation; trained weights are float32. auto: bfloat16 where the hardware has it"
    )
    gradient_checkpointing: bool = Field(False, description="recompute activations: less memory, a third slower")
    neftune: float | None = Field(
        None, gt=0, description="noise on embeddings (Jain et al. 2023), 5 is usual; drawn for each forest"
    )
    save_every: int | None = Field(
        None, ge=1, description="steps between checkpoints; null: 500, and at every epoch's end"
    )
    keep_checkpoints: int = Field(1, ge=1, description="so many latest checkpoints stay, besides the best")
    validate_every: int | None = Field(None, ge=1, description="steps between validations; null: at every epoch's end")
    early_stopping: int | None = Field(None, ge=1, description="stop after so many validations without a better one")
    log_every: int = Field(
        1, ge=1, description="steps between lines where the output is no terminal; metrics.jsonl has every step"
    )
    deterministic: bool = Field(False, description="CUDA: bit-for-bit repeatable, slower. A CPU is so anyway")
    trackers: tuple[Literal["tensorboard", "wandb", "mlflow"], ...] = Field((), description="besides metrics.jsonl")
