"""Numbers in words, English and Chinese."""

from __future__ import annotations

DIGITS = "零一二三四五六七八九十"

NUMBERS = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
]


def chinese_number(number: int) -> str:
    """Numbers up to 99 in Chinese.

    >>> chinese_number(7), chinese_number(12), chinese_number(40)
    ('七', '十二', '四十')
    """
    tens, ones = divmod(number, 10)
    return ("" if tens == 0 else "十" if tens == 1 else DIGITS[tens] + "十") + (
        DIGITS[ones] if ones or not tens else ""
    )


TENS = {2: "twenty", 3: "thirty", 4: "forty", 5: "fifty", 6: "sixty", 7: "seventy", 8: "eighty", 9: "ninety"}


def english_number(number: int) -> str:
    """Numbers up to 99 in English.

    >>> english_number(7), english_number(42)
    ('seven', 'forty-two')
    """
    if number <= 20:
        return NUMBERS[number]
    tens, ones = divmod(number, 10)
    return TENS[tens] + (f"-{NUMBERS[ones]}" if ones else "")
