"""The event by which live clients hear of other settings."""

from __future__ import annotations

from flamenco_core.domain.events import SettingsChanged
from flamenco_core.wire.events import event_body, event_name, subject_of


def test_changed_settings_are_told_by_name() -> None:
    event = SettingsChanged(keys=("a", "b.c"), source="web", who="ops", restart_needed=("a",))
    assert event_name(event) == "settings"
    assert subject_of(event) == ("", "")
    assert event_body(event) == {
        "keys": ["a", "b.c"],
        "source": "web",
        "who": "ops",
        "restart_needed": ["a"],
    }


def test_who_is_left_out_when_nobody_knows() -> None:
    assert "who" not in event_body(SettingsChanged(keys=("a",), source="file"))
