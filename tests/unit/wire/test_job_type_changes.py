"""What an artist is told about settings that changed under their hands."""

from __future__ import annotations

from typing import Any

import pytest

from flamenco_core.wire.converter import structure
from flamenco_core.wire.job_type_changes import changes_between, in_a_sentence
from flamenco_core.wire.job_types import AvailableJobType


def described(*settings: dict[str, Any], **rest: Any) -> AvailableJobType:
    facts = {"name": "paper", "label": "Paper", "settings": list(settings), **rest}
    return structure({**facts, "etag": repr(facts)}, AvailableJobType)


def frames(**rest: Any) -> dict[str, Any]:
    return {"key": "frames", "type": "string", **rest}


FPS = {"key": "fps", "type": "float"}


def test_the_same_has_no_changes() -> None:
    assert changes_between(described(frames()), described(frames())) == []


def test_settings_that_came_and_went_are_named_first() -> None:
    changes = changes_between(described(FPS), described(frames(), label="Other"))
    assert changes == [
        "setting 'frames' was added",
        "setting 'fps' is gone",
        'the label is another one ("Paper" -> "Other")',
    ]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ({"default": 1}, {"default": 2}, "another default (1 -> 2)"),
        ({}, {"default": "1-10"}, 'another default (none -> "1-10")'),
        ({"default": 1}, {"default": 1.5}, "another default (1 -> 1.5)"),
        ({"default": 1}, {"default": True}, "another default (1 -> true)"),
        ({}, {"type": "int32"}, 'another type ("string" -> "int32")'),
        ({"required": True}, {}, "another 'required' (true -> none)"),
        ({"choices": ["a"]}, {"choices": ["a", "b"]}, 'other choices (["a"] -> ["a", "b"])'),
        ({"propargs": {"min": 1}}, {"propargs": {"min": 2}}, 'other limits ({"min": 1} -> {"'),
        ({"eval": "x"}, {"eval": "y"}, 'another expression ("x" -> "y")'),
        ({"visible": "hidden"}, {}, 'another visibility ("hidden" -> none)'),
        ({"default": "x" * 100}, {"default": ""}, f'("{"x" * 56}... -> "")'),
        ({"subtype": "dir_path"}, {}, "another subtype"),
        ({"editable": False}, {}, "another 'editable'"),
        ({"label": "a"}, {}, "another label"),
        ({"description": "a"}, {}, "another description"),
        ({"evalInfo": {"description": "a"}}, {}, "another explanation"),
    ],
)
def test_each_part_of_a_setting_is_compared(old: Any, new: Any, words: str) -> None:
    (change,) = changes_between(described(frames(**old)), described(frames(**new)))
    assert change.startswith("'frames' has ")
    assert words in change


def test_another_order_is_a_change() -> None:
    changes = changes_between(described(frames(), FPS), described(FPS, frames()))
    assert changes == ["the settings have another order"]


def test_a_long_list_is_cut_and_counted() -> None:
    many = [f"change {number}" for number in range(13)]
    assert in_a_sentence(many[:2]) == "change 0; change 1"
    assert in_a_sentence(many[:10]).endswith("; change 9")
    assert in_a_sentence(many).endswith("; change 9; and 3 more changes")
    assert in_a_sentence([]) == ""
