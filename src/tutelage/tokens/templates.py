"""Chat templates for base models, by name, and how a recipe's `chat_template` is resolved.

`chat_template` in a recipe is a name of `TEMPLATES`, a path to a .jinja file, or null for the tokenizer's own template.
The texts lie in `jinja/`, one file a template. They write `bos_token` where the published format has it; for a
tokenizer that puts no such token before a text by itself, `resolve_template` turns those into nothing, so that a
beginning token stands exactly where the model was pretrained to see one, once.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tutelage.errors import UserError
from tutelage.tokens.vocabulary import Vocabulary

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

FOLDER = Path(__file__).parent / "jinja"
NO_BEGINNING = "{%- set bos_token = '' -%}\n"


@dataclass(frozen=True, slots=True)
class Template:
    """A chat template of ours.

    stop: the token that ends a turn in the published format; None: the tokenizer's own end token. A tokenizer that
    lacks it as a special token keeps its vocabulary: the marker is then ordinary text and its own end token ends a
    turn.
    """

    text: str
    stop: str | None
    description: str


def _template(name: str, stop: str | None, description: str) -> Template:
    return Template((FOLDER / f"{name}.jinja").read_text(encoding="utf-8"), stop, description)


TEMPLATES: dict[str, Template] = {
    "alpaca": _template(
        "alpaca", None, "### Instruction: / ### Response: (Stanford Alpaca), its preamble where no system text is"
    ),
    "chatml": _template("chatml", "<|im_end|>", "<|im_start|>role … <|im_end|>; any role, no default system text"),
    "gemma": _template("gemma", "<end_of_turn>", "Gemma 3: <start_of_turn>; the system text opens the first user turn"),
    "hermes": _template(
        "hermes", "<|im_end|>", "ChatML with tools as Hermes 2 Pro and Qwen2.5 write them, and <think> reasoning"
    ),
    "llama2": _template("llama2", None, "Llama 2 chat: [INST] <<SYS>> … [/INST]"),
    "llama3": _template("llama3", "<|eot_id|>", "Llama 3: <|start_header_id|>role<|end_header_id|>"),
    "mistral": _template(
        "mistral", None, "Mistral 7B Instruct: [INST] … [/INST]; the system text opens the first user turn"
    ),
    "phi3": _template("phi3", "<|end|>", "Phi-3: <|role|> … <|end|>"),
    "plain": _template("plain", None, "the contents alone, line after line, and the end token after an answer"),
    "qwen": _template(
        "qwen", "<|im_end|>", "Qwen2.5: ChatML, with Qwen's own system text where a conversation has none"
    ),
    "vicuna": _template(
        "vicuna", None, "USER: … ASSISTANT: (Vicuna 1.1), its system text where a conversation has none"
    ),
    "zephyr": _template("zephyr", None, "Zephyr: <|role|> … and the end token after every turn"),
}


def resolve_template(choice: str | None, tokenizer: PreTrainedTokenizerBase) -> str:
    """The Jinja text that a recipe's `chat_template` means with this tokenizer.

    Raises UserError: an unknown name, a file that is not there, or no choice and a tokenizer without a template.
    """
    if choice is None:
        return _own_template(tokenizer)
    if choice in TEMPLATES:
        text = TEMPLATES[choice].text
        return text if Vocabulary(tokenizer).begins_with_bos else NO_BEGINNING + text
    if choice.endswith(".jinja") or "/" in choice:
        return _template_file(Path(choice))
    near = difflib.get_close_matches(choice.lower(), TEMPLATES, n=1)
    hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(TEMPLATES)}, or a path to a .jinja file."
    raise UserError(f"There is no chat template named {choice!r} (chat_template): {hint}")


def _own_template(tokenizer: PreTrainedTokenizerBase) -> str:
    try:
        return str(tokenizer.get_chat_template())
    except ValueError:
        raise UserError(
            "The tokenizer has no chat template of its own, as usual for a base model: say chat_template=chatml, or "
            f"another of {', '.join(TEMPLATES)}, or a path to a .jinja file."
        ) from None


def _template_file(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The chat template {str(path)!r} (chat_template) cannot be read: {error}.") from None
