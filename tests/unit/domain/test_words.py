from __future__ import annotations

import pytest

from flamenco_core.domain.words import as_words, split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        (" -b   -y\n", ["-b", "-y"]),
        ("'a b' \"c d\" e\\ f", ["a b", "c d", "e f"]),
        ("--x='a b'c", ["--x=a bc"]),
        ("'' \"\"", ["", ""]),
        (r'"say \"hi\"" \"', ['say "hi"', '"']),
        ("a # b\nc #", ["a", "c"]),
        ("a#b '#c' \\#d", ["a#b", "#c", "#d"]),
        ("$HOME *.png ~", ["$HOME", "*.png", "~"]),
    ],
)
def test_words_are_split_as_a_shell_does(text, words):
    assert split_words(text) == words


@pytest.mark.parametrize("text", ["'a", 'a "b', "a'", "a\\", '"\\"'])
def test_what_is_left_open_is_an_error(text):
    with pytest.raises(ValueError, match="not closed"):
        split_words(text)


def test_what_is_no_text_is_printed():
    given = ["a", 24, 24.0, 23.976, True, False, None, 1e20]
    assert as_words(given) == ["a", "24", "24", "23.976", "true", "false", "None", "1e+20"]
