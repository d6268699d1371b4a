"""Words of command lines, as job types write them down."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable

__all__ = ["as_words", "split_words"]

# A comment starts only where a word could: `a#b` is one word, which shlex would cut.
_TOKEN = re.compile(
    r"""\s+ | \#[^\n]* | (?P<word>(?: \\. | "(?:\\.|[^"\\])*" | '[^']*' | [^\s"'\\] )+)""",
    re.VERBOSE | re.DOTALL,
)


def split_words(text: str) -> list[str]:
    """Split like a POSIX shell: quotes, backslashes, ``#`` comments.

    Nothing is expanded. Raises ValueError for a quote or backslash left open.
    """
    words: list[str] = []
    at = 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise ValueError(f"a quote or backslash is not closed: {text[at:]!r:.60}")
        if word := token["word"]:
            words += shlex.split(word)
        at = token.end()
    return words


def as_words(values: Iterable[object]) -> list[str]:
    """Write the elements of a JSON list as words: ``24`` is 24, ``true`` stays true."""
    return [_word(value) for value in values]


def _word(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    # JSON from other languages has only floats: 24.0 was written as 24.
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)
