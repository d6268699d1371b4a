from __future__ import annotations

from pathlib import Path

import pytest

from flamenco_core.config.nodes import plain
from flamenco_core.config.yaml_file import read_yaml, yaml_text
from flamenco_core.errors import ConfigError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "farm.yaml"


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        yaml_text(text, "farm.yaml")
    return str(caught.value)


def test_values_know_their_text_kind_and_line() -> None:
    tree = yaml_text("# farm\na: 1\nb:\n  c: 'x'\n  d: [0x10, 1.5, true, ~, 2026-11-24]\n", "f")
    assert plain(tree) == {"a": 1, "b": {"c": "x", "d": [16, 1.5, True, None, "2026-11-24"]}}
    assert (tree["a"].text, tree["a"].where) == ("1", "f:2")
    assert tree["b"]["c"].where == "f:4"
    assert tree["b"]["d"].where == "f:5"
    assert tree["b"]["d"][0].text == "0x10"


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_an_empty_file_has_no_keys(text: str) -> None:
    assert yaml_text(text, "f") == {} or plain(yaml_text(text, "f")) == {}


def test_a_byte_order_mark_and_windows_line_ends_are_fine(file: Path) -> None:
    file.write_bytes("\ufeffa: 1\r\nb: ä\r\n".encode())
    assert plain(read_yaml(file)) == {"a": 1, "b": "ä"}


def test_numbers_keep_their_spelling_as_text() -> None:
    tree = yaml_text("a: 007\nb: 1_000\nc: 1e3\nd: .inf\ne: -5\n", "f")
    assert tree["a"].text == "007"
    assert plain(tree) == {"a": 7, "b": 1000, "c": 1000.0, "d": float("inf"), "e": -5}


def test_anchors_and_merged_keys_work() -> None:
    tree = yaml_text("a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\nc: *a\nd: {<<: [*a, {z: 1}]}\n", "f")
    assert plain(tree["b"]) == {"x": 1, "y": 3}
    assert plain(tree["c"]) == {"x": 1, "y": 2}
    assert plain(tree["d"]) == {"x": 1, "y": 2, "z": 1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: [1,\n", "farm.yaml:3: not valid YAML"),
        ("a: 1\n\tb: 2\n", "farm.yaml:2: not valid YAML"),
        ("a: 1\na: 2\n", "farm.yaml:2: 'a' is there twice"),
        ("a: \x07\n", "farm.yaml: not valid YAML"),
        ("- a\n- b\n", "farm.yaml:1: must consist of lines"),
        ("just words", "farm.yaml:1: must consist of lines"),
        ("a: 1\n---\nb: 1\n", "farm.yaml:2: not valid YAML"),
        ("a: *nobody\n", "farm.yaml:1: not valid YAML"),
        ("a: 1\nb: !!python/object:os.system {}\n", "plain values only"),
        ("a: 1\nb: !!binary aGk=\n", "farm.yaml:2: 'tag:yaml.org,2002:binary'"),
        ("a: !secret x\n", "plain values only"),
        ("? [1, 2]\n: 3\n", "farm.yaml:1: a key must be a plain text"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(text: str, words: str) -> None:
    assert words in refused(text)


def test_nesting_without_end_is_refused() -> None:
    assert "nested 32 deep" in refused("a: " + "[" * 5000 + "]" * 5000)


def test_a_list_without_end_is_refused() -> None:
    assert "at most 20000 values" in refused("a: [" + "1," * 60_000 + "1]")


def test_a_bomb_of_aliases_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    assert "too much for a settings file" in refused("\n".join(lines))


def test_an_alias_inside_of_itself_is_refused() -> None:
    assert "farm.yaml:1" in refused("a: &a [*a]\n")


def test_a_large_file_is_refused_unread(file: Path) -> None:
    file.write_text("a: " + "x" * 300_000)
    with pytest.raises(ConfigError, match="larger than 256 kB"):
        read_yaml(file)


def test_another_encoding_is_named_with_its_line(file: Path) -> None:
    file.write_bytes(b"a: 1\nb: \xe4\n")
    with pytest.raises(ConfigError, match=r"farm\.yaml:2: not UTF-8"):
        read_yaml(file)


def test_a_folder_is_no_settings_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_yaml(tmp_path)
