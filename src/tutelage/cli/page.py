"""What a terminal would show, as one HTML page: light or dark as the reader's own screen is."""

from __future__ import annotations

import html
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.terminal_theme import TerminalTheme

WIDTH = 110
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 2rem auto; padding: 0 1rem; max-width: 70rem; background: #fff; color: #1c2024; }}
pre {{ font: 14px/1.55 ui-monospace, "SF Mono", Menlo, Consolas, "Noto Sans Mono CJK SC", monospace;
  white-space: pre-wrap; overflow-wrap: anywhere; }}
{light}
@media (prefers-color-scheme: dark) {{
body {{ background: #14171a; color: #e3e6e8; }}
{dark}
}}
</style>
</head>
<body>
<pre>{code}</pre>
</body>
</html>
"""
# black red green yellow blue magenta cyan white, then the bright ones: all readable on their ground.
_LIGHT = (
    "1c2024 b3261e 1a7f37 8a5a00 0550ae 8250df 0b6e75 57606a 6e7781 cf222e 2da44e 9a6700 3b7ddd a475f9 1b8f97 80868c"
)
_DARK = (
    "e3e6e8 ff7b72 56d364 e3b341 79c0ff d2a8ff 76e3ea b1bac4 8b949e ffa198 7ee787 f2cc60 a5d6ff e2c5ff b3f0ff d0d7de"
)


def page(title: str, parts: Sequence[RenderableType]) -> str:
    """The page; `parts` are shown one below the other, as `terminal.put` shows them."""
    from rich.console import Console

    recorded = Console(
        file=io.StringIO(), record=True, force_terminal=True, width=WIDTH, highlight=False, markup=False, emoji=False
    )
    for part in parts:
        recorded.print(part)
    light, dark = (
        recorded.export_html(theme=_theme(colours), clear=False, code_format="{stylesheet}")
        for colours in (_LIGHT, _DARK)
    )
    code = recorded.export_html(code_format="{code}")
    return _PAGE.format(title=html.escape(title), light=light, dark=dark, code=code)


def _theme(colours: str) -> TerminalTheme:
    from rich.terminal_theme import TerminalTheme

    found = [(int(one[:2], 16), int(one[2:4], 16), int(one[4:], 16)) for one in colours.split()]
    return TerminalTheme((255, 255, 255), found[0], found[:8], found[8:])
