from __future__ import annotations

import pytest

from flamenco_core.config.secrets import MASK, is_secret, masked, unmasked
from flamenco_core.errors import ConfigError

SETTINGS = {
    "database": "postgresql+psycopg://farm:pass:word@db/flamenco",
    "mqtt": {"client": {"password": "hunter2", "username": "farm"}},
    "chat": [{"token": "abc"}, {"url": "https://me:abc@chat.example/x"}],
    "api_secret": 1234,
    "empty_password": "",
    "uses_password": True,
    "count": 3,
}


@pytest.mark.parametrize("key", ["password", "mqtt.client.password", "apiToken", "client_SECRET"])
def test_secrets_are_known_by_their_keys(key: str) -> None:
    assert is_secret(key)


def test_no_secret_is_left() -> None:
    shown = masked(SETTINGS)
    assert shown["database"] == f"postgresql+psycopg://farm:{MASK}@db/flamenco"
    assert shown["mqtt"]["client"] == {"password": MASK, "username": "farm"}
    assert shown["chat"] == [{"token": MASK}, {"url": f"https://me:{MASK}@chat.example/x"}]
    assert shown["api_secret"] == MASK
    assert (shown["empty_password"], shown["uses_password"], shown["count"]) == ("", True, 3)


def test_what_is_shown_written_back_is_what_was() -> None:
    keyed = {key: value for key, value in SETTINGS.items() if key != "chat"}
    assert unmasked(masked(keyed), keyed) == keyed


def test_a_new_secret_takes_the_place_of_the_mask() -> None:
    new = {"mqtt": {"client": {"password": "new"}}}
    assert unmasked(new, SETTINGS) == new


@pytest.mark.parametrize(
    "written",
    [
        f"postgresql+psycopg://farm:{MASK}@elsewhere/flamenco",
        f"postgresql+psycopg://root:{MASK}@db/flamenco",
        MASK,
    ],
)
def test_a_secret_is_not_told_to_another_server(written: str) -> None:
    with pytest.raises(ConfigError, match="database: write the secret anew"):
        unmasked({"database": written}, SETTINGS)


def test_a_mask_for_what_was_never_set_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"chat\.token: write the secret anew"):
        unmasked({"chat": {"token": MASK}}, {})
