"""What other tools call our keys, so that a recipe written from habit is answered with the right name."""

from __future__ import annotations

# By our key: names of TrainingArguments, TRL, PEFT, LLaMA-Factory, Axolotl, torchtune, Unsloth and others.
_PEERS = {
    "model": "model_name_or_path base_model model_name pretrained_model_name_or_path model_id model_path checkpoint",
    "data": "dataset datasets dataset_name dataset_path dataset_id train_file train_data data_path train_dataset",
    "data.sources.0.limit": "max_samples max_train_samples num_samples",
    "data.sources.0.format": "dataset_format formatting prompt_style data_format",
    "data.validation": "val_size val_set_size validation_split eval_dataset test_size validation_file eval_file",
    "output": "output_dir save_dir out_dir output_path",
    "adapter": "finetuning_type use_peft use_lora peft adapter_type lora peft_type",
    "adapter.rank": "lora_rank lora_r r",
    "adapter.alpha": "lora_alpha",
    "adapter.dropout": "lora_dropout",
    "adapter.targets": "lora_target lora_targets lora_target_modules target_modules lora_modules",
    "freeze.last_layers": "freeze_trainable_layers num_layer_trainable unfrozen_layers",
    "freeze.train": "freeze_trainable_modules unfrozen_parameters freeze_extra_modules",
    "chat_template": "template chat_template_path conversation_template",
    "max_length": "cutoff_len max_seq_length max_seq_len model_max_length sequence_len block_size seq_length",
    "overlong": "truncation truncation_mode excess_length_strategy",
    "objective.train_on": "train_on_inputs train_on_prompt train_on_responses_only completion_only_loss "
    "assistant_only_loss mask_history roles_to_train",
    "train.epochs": "num_train_epochs num_epochs n_epochs num_train_epoch",
    "train.max_steps": "max_train_steps iters num_steps max_iters total_steps",
    "train.batch_size": "per_device_train_batch_size train_batch_size micro_batch_size global_batch_size "
    "gradient_accumulation_steps per_device_batch_size",
    "train.tokens_per_forest": "packing sample_packing group_by_length max_tokens_per_batch",
    "from_scratch": "train_from_scratch random_init_weights",
    "train.shuffle": "disable_shuffling shuffle_merged_datasets shuffle_dataset",
    "train.learning_rate": "lr learning_rate_multiplier peak_lr",
    "train.schedule": "lr_scheduler_type lr_scheduler scheduler lr_schedule",
    "train.warmup": "warmup_ratio warmup_steps num_warmup_steps",
    "train.optimizer": "optim optimizer_name",
    "train.beta1": "adam_beta1",
    "train.beta2": "adam_beta2",
    "train.epsilon": "adam_epsilon",
    "train.clip": "max_grad_norm gradient_clipping grad_clip gradient_clip_val clip_grad_norm",
    "train.dtype": "bf16 fp16 torch_dtype precision mixed_precision pure_bf16",
    "train.neftune": "neftune_noise_alpha",
    "train.save_every": "save_steps save_freq save_strategy",
    "train.keep_checkpoints": "save_total_limit",
    "train.validate_every": "eval_steps eval_every val_every eval_strategy steps_per_eval",
    "train.early_stopping": "early_stopping_patience",
    "train.log_every": "logging_steps log_every_n_steps steps_per_report",
    "train.trackers": "report_to use_wandb tracker",
    "seed": "data_seed random_seed",
    "resume": "resume_from_checkpoint auto_resume_from_checkpoints",
    "overwrite": "overwrite_output_dir overwrite_output",
}

OUR_NAME: dict[str, str] = {peer: ours for ours, peers in _PEERS.items() for peer in peers.split()}
