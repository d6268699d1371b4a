"""Words of command lines, as job types write them down."""

from __future__ import annotations

import re
import shlex
from typing import Any

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


def as_words(value: Any) -> tuple[str, ...]:
    """Turn a JSON list into words: ``24`` becomes ``24``, ``true`` stays ``true``.

    `None` is an empty list. Raises ValueError for anything else that is no list.
    """
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        raise ValueError(f"must be a list, not {value!r:.60}")
    return tuple(map(_word, value))


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    # JSON from other languages has only floats: 24.0 was written as 24.
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)
