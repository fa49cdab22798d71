"""Conversations to text through Jinja, in a sandbox: a template is data from a model folder, never code.

The environment is the one of `transformers` (utils/chat_template_utils.py), so a rendered text equals that of
`tokenizer.apply_chat_template(…, tokenize=False)`; it is our own so that the sandbox does not hang on another library's
version.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import jinja2
from jinja2 import nodes
from jinja2.exceptions import SecurityError, TemplateError, TemplateSyntaxError
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace

from tutelage.errors import UserError
from tutelage.records import Message, ToolCall


class Refused(UserError):  # noqa: N818 (a verdict about a row)
    """This row cannot be used, or this conversation not be answered. Rows of one kind share the clause `reason`."""

    def __init__(self, reason: str) -> None:
        """Of a clause without a full stop."""
        super().__init__(f"This conversation cannot be used: {reason}.")
        self.reason = reason


class GenerationTag(Extension):
    """`{% generation %}…{% endgeneration %}` marks an answer for other tools; here it writes what it holds."""

    tags = {"generation"}  # noqa: RUF012 (jinja's own way)

    def parse(self, parser: Parser) -> nodes.Node:
        """The statements inside, with a scope of their own."""
        line = next(parser.stream).lineno
        return nodes.Scope(parser.parse_statements(("name:endgeneration",), drop_needle=True)).set_lineno(line)


class PlainNamespace(Namespace):
    """Jinja's `namespace`, which keeps no names that begin with an underscore."""

    def __init__(*args: Any, **values: Any) -> None:
        """Of pairs or named values, `self` among them."""
        self, *rest = args
        stored = dict(*rest, **values)
        for name in stored:
            _refuse_private(name)
        Namespace.__init__(self, stored)

    def __setitem__(self, name: str, value: Any) -> None:
        """Store a value under a name that the template chose."""
        _refuse_private(name)
        super().__setitem__(name, value)


def _refuse_private(name: object) -> None:
    if isinstance(name, str) and name.startswith("_"):
        raise SecurityError(f"a namespace may not hold {name!r}")


class PlainDict:
    """`dict` as templates may use it, without the type itself."""

    def __call__(self, *args: Any, **values: Any) -> dict[Any, Any]:
        """As `dict(…)`."""
        return dict(*args, **values)

    def fromkeys(self, *args: Any) -> dict[Any, Any]:
        """As `dict.fromkeys`."""
        return dict.fromkeys(*args)


def _raise_exception(message: str) -> None:
    raise TemplateError(message)


def _tojson(
    value: Any, ensure_ascii: bool = False, indent: int | None = None, separators: Any = None, sort_keys: bool = False
) -> str:
    # Jinja's own filter escapes HTML, which no model was trained on.
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)


def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[GenerationTag, "jinja2.ext.loopcontrols"]
    )
    environment.filters["tojson"] = _tojson
    environment.globals.update(raise_exception=_raise_exception, namespace=PlainNamespace, dict=PlainDict())
    return environment


@lru_cache(maxsize=64)
def _compiled(text: str) -> jinja2.Template:
    try:
        return _environment().from_string(text)
    except TemplateSyntaxError as error:
        raise UserError(f"The chat template is not valid Jinja: {error.message} (line {error.lineno}).") from None


def text_of(message: Message) -> str:
    """The text of a message: its parts joined. Raises Refused for a part that is not text."""
    for part in message.content:
        if part.kind != "text":
            raise Refused(f"a message holds a part of kind {part.kind!r}, and only text is learnt yet")
    return "".join(part.text for part in message.content)


def _plain(message: Message, arguments_as_text: bool) -> dict[str, Any]:
    """A message as templates know it; what it has not is not there, since templates ask `is defined`.

    Reasoning goes by both names that published templates read, as `transformers` hands it on.
    """
    row: dict[str, Any] = {"role": message.role, "content": text_of(message)}
    if message.reasoning:
        row |= {"reasoning_content": message.reasoning, "thinking": message.reasoning}
    if message.calls:
        row["tool_calls"] = [_plain_call(call, arguments_as_text) for call in message.calls]
    named = {"name": message.name, "tool_call_id": message.call_id}
    return row | {key: value for key, value in named.items() if value is not None}


def _plain_call(call: ToolCall, arguments_as_text: bool) -> dict[str, Any]:
    arguments = call.arguments if arguments_as_text else json.loads(call.arguments)
    known = {} if call.id is None else {"id": call.id}
    return {"type": "function", **known, "function": {"name": call.name, "arguments": arguments}}


class Renderer:
    """One template with one tokenizer's named tokens (`bos_token`, `eos_token`, …).

    now: the clock that `strftime_now` reads; a run that is to be repeated fixes it.
    arguments_as_text: whether the template joins a call's arguments to text, as DeepSeek's does, instead of writing an
    object as JSON.
    """

    def __init__(
        self, template: str, named_tokens: Mapping[str, str], now: Callable[[], datetime] = datetime.now
    ) -> None:
        """Raises UserError for text that is not Jinja."""
        self._template = _compiled(template)
        self.arguments_as_text = False
        self._variables: dict[str, Any] = {**named_tokens, "documents": None}
        self._variables["strftime_now"] = lambda form: now().strftime(form)

    def render(self, messages: Sequence[Message], *, add_generation_prompt: bool, tools: Sequence[str] = ()) -> str:
        """The text of a conversation; with the generation prompt, what an answer follows.

        tools: what may be called, as `Conversation.tools` has it.

        Raises Refused with the template's own words where it refuses the conversation, UserError where it tries what
        the sandbox forbids.
        """
        given = {
            **self._variables,
            "messages": [_plain(message, self.arguments_as_text) for message in messages],
            "tools": [json.loads(tool) for tool in tools] or None,
        }
        try:
            return self._template.render(add_generation_prompt=add_generation_prompt, **given)
        except SecurityError as error:
            raise UserError(
                f"The chat template tries what a template may not do ({error}): do not trust its source."
            ) from None
        except Exception as error:  # whatever foreign template code raises is its refusal, not a fault of ours
            words = str(error) or type(error).__name__
            raise Refused(
                f"the chat template refuses it ({words.rstrip('.')}); change the rows, or choose another with "
                "chat_template=…"
            ) from None
