"""What JOB_TYPE may say."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flamenco_javascript.definition import Definition, read_definition

from flamenco_core.errors import JobTypeError
from flamenco_core.offers import Setting


def read(job_type: Any) -> Definition:
    return read_definition("x.js", json.dumps(job_type).encode())


def one(**setting: Any) -> Setting:
    (made,) = read({"label": "X", "settings": [setting]}).settings
    return made


def test_a_label_is_enough() -> None:
    assert read({"label": "X"}) == Definition(label="X", description="", settings=())
    assert read({"label": "X", "settings": None}).settings == ()


def test_name_and_etag_are_not_the_scripts_to_give() -> None:
    assert read({"label": "X", "name": "other", "etag": "e", "more": 1}).label == "X"


def test_everything_that_a_setting_may_have_is_read() -> None:
    made = one(
        key="frames",
        type="string",
        subtype="file_path",
        choices=["a", "b"],
        propargs={"min": 1},
        description="what",
        label="Frames",
        default="a",
        eval="'1-5'",
        evalInfo={"showLinkButton": True},
        visible="web",
        required=True,
        editable=False,
        unknown="ignored",
    )
    assert made == Setting(
        key="frames",
        type="string",
        subtype="file_path",
        choices=("a", "b"),
        propargs={"min": 1},
        description="what",
        label="Frames",
        default="a",
        eval="'1-5'",
        eval_info={"showLinkButton": True},
        visible="web",
        required=True,
        editable=False,
    )


def test_what_is_given_as_false_zero_or_empty_is_kept() -> None:
    made = one(key="a", type="int32", default=0, required=False, editable=False, label="")
    assert (made.default, made.required, made.editable, made.label) == (0, False, False, "")


def test_texts_for_people_may_be_anything() -> None:
    made = one(key="a", type="bool", label=5, description=["x"])
    assert (made.label, made.description) == ("5", '["x"]')


@pytest.mark.parametrize("setting_type", ["string", "int32", "float", "bool"])
@pytest.mark.parametrize("visible", ["visible", "hidden", "submission", "web"])
def test_all_words_of_the_wire_are_known(setting_type: str, visible: str) -> None:
    made = one(key="a", type=setting_type, visible=visible)
    assert (made.type, made.visible) == (setting_type, visible)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"key": "a"}, "setting 'a': type must be one of string, int32, float, bool; not None"),
        (
            {"key": "a", "type": "int"},
            "setting 'a': type must be one of string, int32, float, bool; not 'int'",
        ),
        (
            {"key": "a", "type": "bool", "visible": "always"},
            "setting 'a': visible must be one of visible, hidden, submission, web; not 'always'",
        ),
        (
            {"key": "a", "type": "string", "subtype": "FILE_PATH"},
            "setting 'a': subtype must be one of file_path, dir_path, file_name,"
            " hashed_file_path; not 'FILE_PATH'",
        ),
        ({"key": "a", "type": []}, "setting 'a': type must be one of"),
        ({"type": "bool"}, "setting 1 needs a key"),
        ({"key": "", "type": "bool"}, "setting 1 needs a key"),
        ({"key": 5, "type": "bool"}, "setting 1 needs a key"),
        ({"key": "a", "type": "string", "choices": "abc"}, "setting 'a': choices must be a list"),
        ({"key": "a", "type": "string", "choices": [1]}, "setting 'a': choices must be a list"),
        ({"key": "a", "type": "float", "propargs": [1]}, "setting 'a': propargs must be an object"),
        ({"key": "a", "type": "float", "eval": 5}, "setting 'a': eval must be a text"),
        ({"key": "a", "type": "float", "evalInfo": "x"}, "setting 'a': evalInfo must be an object"),
        ({"key": "a", "type": "float", "required": 1}, "setting 'a': required must be true or"),
        ({"key": "a", "type": "float", "editable": "no"}, "setting 'a': editable must be true or"),
        ("frames", "setting 1 must be an object"),
    ],
)
def test_a_wrong_setting_is_named_with_the_cure(setting: Any, message: str) -> None:
    with pytest.raises(JobTypeError) as raised:
        read({"label": "X", "settings": [setting]})
    assert str(raised.value).startswith(f"x.js: JOB_TYPE: {message}")


@pytest.mark.parametrize(
    ("job_type", "message"),
    [
        ({}, "it needs a label"),
        ({"label": " "}, "it needs a label"),
        ({"label": 5}, "it needs a label"),
        ({"label": "X", "settings": {}}, "settings must be a list"),
        ([], "it must be an object"),
        (
            {
                "label": "X",
                "settings": [{"key": "a", "type": "bool"}, {"key": "a", "type": "bool"}],
            },
            "there are two settings with the key 'a'",
        ),
    ],
)
def test_a_wrong_job_type_is_refused(job_type: Any, message: str) -> None:
    with pytest.raises(JobTypeError) as raised:
        read(job_type)
    assert message in str(raised.value)


@pytest.mark.parametrize("data", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(JobTypeError, match=r"x\.js"):
        read_definition("x.js", data)
