"""Loads any Hugging Face causal language model, with its tokenizer and adapter, and finds out how it takes forests."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from textwrap import shorten
from typing import Any

import torch

from tutelage.errors import UserError
from tutelage.model.locate import Located, locate, no_weights, without_weights
from tutelage.model.probe import why_not_forest
from tutelage.model.trainable import refuse_adapted_head

TOKENIZER_FILES = ("tokenizer*", "vocab*", "*.model")


@dataclass
class Loaded:
    """A model and what belongs to it.

    why_alone: None where it takes forests, else why it runs sequence by sequence. random: its weights come from the
    seed. adapted: it has an adapter of its own.
    """

    model: Any
    tokenizer: Any
    folder: str
    why_alone: str | None = None
    random: bool = False
    adapted: bool = False

    @property
    def device(self) -> torch.device:
        """Where the model is."""
        device: torch.device = next(iter(self.model.parameters())).device
        return device

    @property
    def forest(self) -> bool:
        """Whether the model takes forests."""
        return self.why_alone is None


def load_model(
    model: str,
    *,
    dtype: str = "auto",
    device: str | None = None,
    seed: int = 0,
    may_be_random: bool = False,
    trainable_adapter: bool = False,
    trust_remote_code: bool = False,
    base: str | None = None,
    from_scratch: bool = False,
) -> Loaded:
    """Loads what `model` names (see `locate`) in evaluation mode, on `device` (null: CUDA where there is one).

    dtype: "float32", "bfloat16", or "auto" for the checkpoint's own. A folder without weights is initialised at random
    from `seed` where `may_be_random`, and refused otherwise; from_scratch: so is one with weights. base: what an
    adapter goes onto, in place of the model that it names.

    Raises:
        UserError: the model cannot be found or read; says what to do.
    """
    quiet()
    located = locate(model, base)
    if from_scratch:
        located = without_weights(located)
    if located.random and not may_be_random:
        raise UserError(no_weights(model))
    tokenizer = load_tokenizer(located, trust_remote_code)
    net = _language_model(located, dtype, seed, trust_remote_code)
    reason = why_not_forest(net)
    if located.adapter:
        net = _with_adapter(net, located.adapter, trainable_adapter)
    net.to(device or best_device())
    net.eval()
    return Loaded(net, tokenizer, located.path, reason, located.random, located.adapter is not None)


def load_tokenizer(located: Located, trust_remote_code: bool = False) -> Any:
    """The tokenizer beside the adapter if it is there, else beside the model."""
    from transformers import AutoTokenizer

    own = located.adapter and (located.adapter / "tokenizer_config.json").is_file()
    place = str(located.adapter) if own else located.path
    if Path(place).is_dir() and not any(next(Path(place).glob(pattern), None) for pattern in TOKENIZER_FILES):
        raise UserError(f"{place} has no tokenizer (tokenizer.json); copy the one that belongs to the model into it")
    with _told_plainly(place, "tokenizer"):
        tokenizer = AutoTokenizer.from_pretrained(place, trust_remote_code=trust_remote_code)
    if not getattr(tokenizer, "is_fast", False):
        raise UserError(f"the tokenizer of {place} has no fast version (tokenizer.json), which Tutelage needs")
    return tokenizer


def load_config(located: Located, trust_remote_code: bool = False) -> Any:
    """The configuration of the language model (of the text part, where a model has several)."""
    from transformers import AutoConfig

    with _told_plainly(located.path, "model"):
        config = AutoConfig.from_pretrained(located.path, trust_remote_code=trust_remote_code)
    return config.get_text_config()


def best_device() -> str:
    """`cuda` where there is one, this process's own under torchrun, else `cpu`."""
    import os

    return f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if torch.cuda.is_available() else "cpu"


def quiet() -> None:
    """Keeps transformers from talking between our lines; what matters of it, we say ourselves."""
    import logging as standard_logging

    from transformers.utils import logging

    # Imported by PEFT where it is installed; it then misses a package that only its 4-bit weights on a CPU would need.
    standard_logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(standard_logging.ERROR)
    # PEFT asks transformers for a property by its older name, at every load.
    warnings.filterwarnings("ignore", message=".is_gradient_checkpointing. is deprecated", category=FutureWarning)
    logging.set_verbosity_error()
    logging.disable_progress_bar()


def _language_model(located: Located, dtype: str, seed: int, trust_remote_code: bool) -> Any:
    from transformers import AutoConfig, AutoModelForCausalLM

    with _told_plainly(located.path, "model"):
        config = AutoConfig.from_pretrained(located.path, trust_remote_code=trust_remote_code)
        wanted = "auto" if dtype == "auto" else getattr(torch, dtype)
        if located.random:
            float_type = torch.float32 if dtype == "auto" else wanted
            with torch.random.fork_rng(devices=()):
                torch.default_generator.manual_seed(seed)
                return AutoModelForCausalLM.from_config(config, dtype=float_type, trust_remote_code=trust_remote_code)
        # use_safetensors: pickled weights can run code (promise 8).
        net, info = AutoModelForCausalLM.from_pretrained(
            located.path,
            config=config,
            dtype=wanted,
            use_safetensors=True,
            output_loading_info=True,
            ignore_mismatched_sizes=True,  # told below
            trust_remote_code=trust_remote_code,
        )
    _refuse_unless_whole(located.path, info)
    return net


def _refuse_unless_whole(path: str, info: dict[str, Any]) -> None:
    if info["missing_keys"]:
        some = ", ".join(sorted(info["missing_keys"])[:3])
        raise UserError(f"the weights of {path} lack {len(info['missing_keys'])} of the model's tensors ({some}, …)")
    if info["mismatched_keys"]:
        name, there, wanted = sorted(info["mismatched_keys"])[0]
        raise UserError(
            f"the weights of {path} do not fit its config.json: {name} is {list(there)}, but should be {list(wanted)}"
        )


def _with_adapter(net: Any, adapter: Path, trainable: bool) -> Any:
    from peft import PeftModel

    with _told_plainly(str(adapter), "adapter"), warnings.catch_warnings():
        warnings.filterwarnings("error", "Found missing adapter keys")
        adapted = PeftModel.from_pretrained(net, str(adapter), is_trainable=trainable)
    if adapted.active_peft_config.is_prompt_learning:
        kind = adapted.active_peft_config.peft_type.value
        raise UserError(
            f"the adapter of {adapter} is of the kind {kind}, which puts tokens before every prompt; use LoRA"
        )
    refuse_adapted_head(adapted)
    return adapted


class _told_plainly:  # noqa: N801  (reads as a phrase: `with _told_plainly(…)`)
    """Turns what the libraries raise for a missing or broken model into one sentence."""

    def __init__(self, place: str, what: str) -> None:
        self.place = place
        self.what = what

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        # The libraries raise whatever comes: SafetensorError, TypeError, and bare Exception among them.
        if not isinstance(error, Exception) or isinstance(error, UserError):
            return
        words = " ".join(str(error).split())
        if isinstance(error, KeyError) or not words:
            words = f"{type(error).__name__} {words}".rstrip()
        if isinstance(error, OSError) and not Path(self.place).exists():
            words = "it is neither a folder here nor a hub model that can be reached (offline, private, or misspelt?)"
        raise UserError(
            f"can't load the {self.what} of {self.place}: {shorten(words, 240, placeholder=' …')}"
        ) from error
