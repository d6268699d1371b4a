"""Job types as clients see them, and their etags."""

from __future__ import annotations

import hashlib
from typing import Any

import attrs
import pytest

from flamenco_core.builtin.echo_sleep_test import EchoSleepTest
from flamenco_core.offers import AuthoredJob, Setting, Submission
from flamenco_core.wire.converter import unstructure
from flamenco_core.wire.describe import available_job_type, etag_of


@attrs.frozen(kw_only=True)
class PaperJobType:
    """A job type that is only looked at."""

    name: str = "paper"
    label: str = "Paper"
    description: str = ""
    settings: tuple[Setting, ...] = ()

    async def compile(self, submission: Submission) -> AuthoredJob:
        raise NotImplementedError("it is only described")


def etag_over(text: str) -> str:
    return hashlib.sha1(text.encode()).hexdigest()


def bytes_of(setting: str) -> str:
    return f'{{"etag":"","label":"Paper","name":"paper","settings":[{setting}]}}'


def test_the_etag_is_the_one_of_flamencos_own_manager() -> None:
    described = available_job_type(
        PaperJobType(
            name="echo-sleep-test",
            label="Echo Sleep Test",
            settings=EchoSleepTest.offered().settings,
        )
    )
    assert described.etag == "eba586e16d6b55baaa43e32f9e78ae514b457fee"


def test_a_job_type_in_python_is_described_with_its_docstring() -> None:
    described = unstructure(available_job_type(EchoSleepTest.offered()))
    assert described["description"].startswith("Try out the farm")
    assert described["settings"][0] == {"key": "message", "type": "string", "required": True}


def test_what_is_not_given_is_not_there() -> None:
    described = available_job_type(PaperJobType(settings=(Setting(key="a", type="bool"),)))
    assert unstructure(described) == {
        "name": "paper",
        "label": "Paper",
        "settings": [{"key": "a", "type": "bool"}],
        "etag": described.etag,
    }


def test_without_settings_there_is_an_empty_list() -> None:
    assert unstructure(available_job_type(PaperJobType()))["settings"] == []


def test_what_is_given_as_false_zero_or_empty_is_there() -> None:
    setting = Setting(
        key="a", type="int32", default=0, required=False, editable=False, label="", choices=()
    )
    shown = unstructure(available_job_type(PaperJobType(settings=(setting,))))["settings"][0]
    assert shown == {
        "key": "a",
        "type": "int32",
        "default": 0,
        "required": False,
        "editable": False,
        "label": "",
        "choices": [],
    }


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({}, {"showLinkButton": False, "description": ""}),
        ({"showLinkButton": True}, {"showLinkButton": True, "description": ""}),
        ({"description": "why"}, {"showLinkButton": False, "description": "why"}),
    ],
)
def test_eval_info_always_has_both_keys(given: dict[str, Any], shown: dict[str, Any]) -> None:
    setting = Setting(key="a", type="string", eval="1", eval_info=given)
    described = available_job_type(PaperJobType(settings=(setting,)))
    assert unstructure(described.settings[0].evalInfo) == shown


@pytest.mark.parametrize(
    ("default", "written"),
    [
        ("<a> & b", r'"\u003ca\u003e \u0026 b"'),
        ("a\u2028b\u2029", r'"a\u2028b\u2029"'),
        ("grüße \u00e9 🎬", '"grüße é 🎬"'),
        ('"\\\n\t', r'"\"\\\n\t"'),
        ("\x01", r'"\u0001"'),
        (1, "1"),
        (1.0, "1"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (24.5, "24.5"),
        (0.00001, "0.00001"),
        (1e-7, "1e-7"),
        (1.5e300, "1.5e+300"),
        (1e17, "100000000000000000"),
        (True, "true"),
        ([1, None, {"b": 1, "a": [2.0]}], '[1,null,{"a":[2],"b":1}]'),
    ],
)
def test_the_etag_is_over_json_as_go_writes_it(default: Any, written: str) -> None:
    described = available_job_type(
        PaperJobType(settings=(Setting(key="a", type="string", default=default),))
    )
    assert described.etag == etag_over(
        bytes_of(f'{{"default":{written},"key":"a","type":"string"}}')
    )


def test_the_keys_of_a_setting_are_sorted() -> None:
    setting = Setting(
        key="a",
        type="float",
        propargs={"soft_max": 2.0, "min": 0},
        visible="hidden",
        eval="1",
        eval_info={},
        editable=True,
    )
    described = available_job_type(PaperJobType(description="On paper.", settings=(setting,)))
    assert described.etag == etag_over(
        '{"description":"On paper.","etag":"","label":"Paper","name":"paper","settings":['
        '{"editable":true,"eval":"1","evalInfo":{"description":"","showLinkButton":false},'
        '"key":"a","propargs":{"min":0,"soft_max":2},"type":"float","visible":"hidden"}]}'
    )


def test_the_etag_does_not_depend_on_itself() -> None:
    described = available_job_type(PaperJobType())
    assert etag_of(described) == described.etag
    assert etag_of(attrs.evolve(described, label="Other")) != described.etag
