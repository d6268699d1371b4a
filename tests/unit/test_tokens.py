"""The form of tokens."""

from __future__ import annotations

import pytest

from flamenco_core.tokens import hidden, make_token, read_token, same, secret_hash


def test_a_token_is_read_as_it_was_made() -> None:
    token = make_token("reg")
    assert read_token(token.text) == token
    assert read_token(f"  {token.text}\n") == token
    assert token.text.startswith(f"fl_reg_{token.id}_")


def test_two_are_never_the_same() -> None:
    made = [make_token("reg") for _ in range(50)]
    assert len({token.id for token in made} | {token.secret for token in made}) == 100
    assert all(len(token.secret) == 64 for token in made)


@pytest.mark.parametrize("text", ["", "x", "fl_reg_", "fl_reg_1_2_3", "fl_REG_" + "0" * 80])
def test_nonsense_is_no_token(text: str) -> None:
    assert read_token(text) is None


def test_a_typing_error_is_seen_without_asking_anybody() -> None:
    text = make_token("reg").text
    place = text.index("_", 7) + 5
    other = "0" if text[place] != "0" else "1"
    assert read_token(text[:place] + other + text[place + 1 :]) is None
    assert read_token(text[:-1]) is None


def test_the_secret_is_not_shown() -> None:
    token = make_token("reg")
    assert token.secret not in repr(token)
    shown = hidden(f"GET /join/{token.text}/api/v3/worker/sign-on, and {token.text[:60]}")
    assert token.secret[:20] not in shown
    assert shown.count(f"fl_reg_{token.id}_***") == 2


def test_only_equal_hashes_are_the_same() -> None:
    assert same(secret_hash("a"), secret_hash("a"))
    assert not same(secret_hash("a"), secret_hash("b"))
