"""Texts: words are split, joined, searched and grown in place."""

from __future__ import annotations

import sys
import time

LINE = "the quick brown fox jumps over the lazy dog, again and again"


def run(n: int) -> int:
    """The length of a text that is made of the words of `n` lines."""
    text = ""
    for number in range(n):
        words = LINE.split(" ")
        first = words[number % len(words)].capitalize()
        text += first
        if "fox" in text and len(text) > 500:
            text = text[250:]
    return len(text)


if __name__ == "__main__":
    began = time.perf_counter()
    result = run(int(sys.argv[1]))
    print(result, time.perf_counter() - began)
