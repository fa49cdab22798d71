"""Rendering equals `apply_chat_template`, and a template cannot do more than write text."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.errors import UserError
from tutelage.records import Conversation, Message, Part
from tutelage.tokens.chat import ChatFormat
from tutelage.tokens.rendering import Refused, Renderer
from tutelage.tokens.templates import TEMPLATES, resolve_template

from .conversations_for_tests import conversations, dictionaries, message, talk
from .tokenizers_for_tests import KINDS, tokenizer_of

# What published templates use of Jinja, and the places where an environment's settings show.
FEATURES = """
{%- set state = namespace(count=0, seen=dict(a=1)) %}
{% for message in messages %}
    {% if message.role == 'system' %}{% continue %}{% endif %}
    {% set state.count = state.count + 1 %}
    {% generation %}
{{ message['content'] | trim }}{% set inner = 1 %}{{ eos_token }}
    {% endgeneration %}
  {{- inner is defined }} {{ {'text': message.content, 'quote': '<"é">'} | tojson(indent=2) }}
    {% if loop.index0 > 3 %}{% break %}{% endif %}
{% endfor %}
{{ state.count }} {{ state.seen | tojson }} {{ dict.fromkeys('ab', 1) }} {{ tools }}
{{ documents }} {{ bos_token is defined }}
{% if add_generation_prompt %}go{% endif %}

"""


@settings(max_examples=60, deadline=None)
@given(conversation=conversations(), name=st.sampled_from(sorted(TEMPLATES)), kind=st.sampled_from(sorted(KINDS)))
def test_named_templates_render_as_transformers_does(conversation: Conversation, name: str, kind: str) -> None:
    tokenizer = tokenizer_of(kind)
    template = resolve_template(name, tokenizer)
    _same_text(tokenizer, template, conversation)


def test_published_templates_language_renders_as_transformers_does() -> None:
    for kind in KINDS:
        _same_text(tokenizer_of(kind), FEATURES, talk("s:x", "u: Hi ", "a:你好 😀", "u:1", "a:2", "u:3", "a:4"))


def _same_text(tokenizer: Any, template: str, conversation: Conversation) -> None:
    renderer = Renderer(template, tokenizer.special_tokens_map)
    for prompted in (False, True):
        theirs = tokenizer.apply_chat_template(
            dictionaries(conversation), chat_template=template, tokenize=False, add_generation_prompt=prompted
        )
        assert renderer.render(conversation.messages, add_generation_prompt=prompted) == theirs


def test_parts_are_joined_and_other_kinds_refused() -> None:
    renderer = Renderer("{{ messages[0]['content'] }}", {})
    assert renderer.render([Message("user", (Part("a "), Part("b")))], add_generation_prompt=False) == "a b"
    with pytest.raises(Refused, match="kind 'image'"):
        renderer.render([Message("user", (Part("", "image"),))], add_generation_prompt=False)


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ messages.__class__.__base__.__subclasses__() }}",
        "{{ raise_exception.__globals__['__builtins__'] }}",
        "{{ strftime_now.__closure__[0] }}",
        "{{ messages.append(1) }}",
        "{{ dict.__init__.__globals__ }}",
        "{{ namespace.mro() }}",
        "{% set hidden = namespace(_x=1) %}",
        "{% set hidden = namespace() %}{% set hidden.__class__ = 1 %}",
    ],
)
def test_a_template_that_reaches_for_more_is_told_so_and_never_executed(attack: str) -> None:
    with pytest.raises(UserError, match="may not do") as caught:
        ChatFormat(tokenizer_of("gpt2"), attack)
    assert not isinstance(caught.value, Refused), "a row is not to blame"


@pytest.mark.parametrize("look", ["{{ strftime_now.__closure__ }}", "{{ '{0.__class__}'.format(1) }}"])
def test_what_a_template_may_not_see_is_nothing_to_it(look: str) -> None:
    assert Renderer(look, {}).render([message("user", "Hi")], add_generation_prompt=False) == ""


def test_a_template_cannot_read_files() -> None:
    with pytest.raises(UserError):
        ChatFormat(tokenizer_of("gpt2"), "{% include '/etc/hostname' %}")


def test_text_that_is_not_jinja_is_told_with_its_line() -> None:
    with pytest.raises(UserError, match=r"not valid Jinja.*line 2"):
        Renderer("{{ messages }}\n{% for %}", {})


@pytest.mark.parametrize("broken", ["{{ 1 / 0 }}", "{{ messages[7]['role'] }}", "{{ messages + 1 }}"])
def test_whatever_a_template_raises_is_its_refusal(broken: str) -> None:
    with pytest.raises(Refused, match="chat template refuses"):
        Renderer(broken, {}).render([message("user", "Hi")], add_generation_prompt=False)
    with pytest.raises(UserError, match="fails on a plain question and answer"):
        ChatFormat(tokenizer_of("gpt2"), broken)


def test_the_clock_can_be_fixed() -> None:
    renderer = Renderer("{{ strftime_now('%d %b %Y') }}", {}, now=lambda: datetime(2026, 11, 20))
    assert renderer.render([message("user", "Hi")], add_generation_prompt=False) == "20 Nov 2026"
