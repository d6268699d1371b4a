from __future__ import annotations

import stat
import sys
from pathlib import Path

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flamenco_core.config import Duration, load_settings, option, save_settings
from flamenco_core.config.save import changed_text
from flamenco_core.errors import ConfigError


@attrs.frozen
class Inner:
    enabled: bool = True
    note: str = ""


@attrs.frozen
class Farm:
    name: str = "Farm"
    port: int = 80
    wait: Duration = option(Duration.of(1))
    inner: Inner = option(factory=Inner)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "farm.yaml"


def test_a_new_file_says_what_it_is_and_can_be_read_by_its_owner_only(file: Path) -> None:
    save_settings(file, {"name": "Studio", "wait": Duration.of(90)}, Farm)
    assert file.read_text().startswith("# Settings of Flamenco.")
    assert "wait: 1m30s" in file.read_text()
    assert load_settings(file, Farm, environ={}).settings == Farm("Studio", wait=Duration.of(90))
    if sys.platform != "win32":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_comments_unknown_keys_and_order_are_kept(file: Path) -> None:
    before = "# our farm\nport: 81 # not 80\nother: {a: 1}\ninner:\n  note: 'x'  # why\nname: A\n"
    file.write_text(before)
    save_settings(file, {"name": "B", "inner": {"enabled": False}}, Farm)
    after = file.read_text()
    assert "# our farm\nport: 81 # not 80\nother: {a: 1}\n" in after
    assert "note: 'x'  # why" in after
    assert load_settings(file, Farm, environ={}).settings == Farm("B", 81, inner=Inner(False, "x"))
    assert (file.parent / "farm.yaml~").read_text() == before


def test_none_removes_a_key(file: Path) -> None:
    file.write_text("name: A\nport: 81\n")
    save_settings(file, {"port": None, "wait": None}, Farm)
    assert file.read_text() == "name: A\n"


@pytest.mark.parametrize("before", ["name: A\n", "name: [half\n"])
def test_a_wrong_result_leaves_the_file_alone(file: Path, before: str) -> None:
    file.write_text(before)
    with pytest.raises(ConfigError):
        save_settings(file, {"port": "many"}, Farm)
    assert [path.name for path in file.parent.iterdir()] == ["farm.yaml"]
    assert file.read_text() == before


def test_a_folder_that_cannot_be_made_is_an_error_with_the_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    with pytest.raises((ConfigError, OSError)):
        save_settings(tmp_path / "plain" / "farm.yaml", {"name": "A"}, Farm)


def test_objects_that_are_not_plain_are_refused(file: Path) -> None:
    with pytest.raises(TypeError, match="plain values"):
        save_settings(file, {"inner": Inner()}, Farm)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")), st.booleans())
@example("\x85", True)
@example("a\u2028b\u2029c", True)
def test_whatever_is_written_is_read_back(name: str, enabled: bool) -> None:
    path = Path("not-there.yaml")
    text = changed_text(path, {"name": name, "inner": {"note": name, "enabled": enabled}})
    loaded = load_settings(path, Farm, environ={}, text=text).settings
    assert loaded == Farm(name, inner=Inner(enabled, name))
