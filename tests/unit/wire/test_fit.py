from __future__ import annotations

from typing import Any

import attrs
import msgspec
import pytest

from flamenco_core.errors import BadRequest
from flamenco_core.wire.converter import decode
from flamenco_core.wire.fit import ANSWER, FREE_TEXT, JOB, STRICT, Fitness


@attrs.frozen
class Body:
    """Anything."""

    x: Any


def read(value: Any, fitness: Fitness) -> Any:
    return decode(msgspec.json.encode({"x": value}), Body, fitness).x


@pytest.mark.parametrize("fitness", [STRICT, JOB, FREE_TEXT, ANSWER])
@pytest.mark.parametrize(
    "value", ["", "grüße, 猫", "a\nb\tc\r\n", "C:\\blender\\foo", "©", 2**63 - 1, -(2**63), 1e300]
)
def test_what_people_write_is_fit(value: Any, fitness: Fitness) -> None:
    assert read(value, fitness) == value


@pytest.mark.parametrize("where", [lambda x: x, lambda x: [[x]], lambda x: {"a": [x]}])
@pytest.mark.parametrize("character", ["\x01", "\b", "\f", "\x1b", "\x1f", "\x7f", "\x85", "\x9b"])
def test_control_characters_are_for_output_of_programs_only(character: str, where: Any) -> None:
    value = where(f"a{character}b")
    for fitness in (STRICT, JOB):
        with pytest.raises(BadRequest, match="control character"):
            read(value, fitness)
    assert read(value, FREE_TEXT) == read(value, ANSWER) == value


@pytest.mark.parametrize("fitness", [STRICT, JOB, FREE_TEXT, ANSWER])
def test_nul_is_for_nobody(fitness: Fitness) -> None:
    for value in ("\0", {"\0": 1}):
        with pytest.raises(BadRequest, match="NUL"):
            read(value, fitness)


def test_a_text_has_its_length() -> None:
    assert read("x" * 65536, STRICT)
    with pytest.raises(BadRequest, match="more than 65536 characters"):
        read("x" * 65537, STRICT)
    assert read("x" * 1_000_000, JOB)


def test_keys_are_counted_in_all_objects() -> None:
    objects = [{f"k{n}": 1 for n in range(1000)} for _ in range(20)]
    with pytest.raises(BadRequest, match="more than 20000 keys"):
        read(objects, JOB)  # and the one around them
    assert read(objects[1:], JOB)
    assert read(objects, ANSWER)
    with pytest.raises(BadRequest, match="keys"):
        read({f"k{n}": 1 for n in range(20_000)}, STRICT)


@pytest.mark.parametrize("text", ["9" * 20, "-" + "9" * 40, "9" * 4000, "9" * 5000])
def test_numbers_of_more_than_64_bits_are_refused(text: str) -> None:
    for fitness in (STRICT, JOB):
        with pytest.raises(BadRequest, match=r"more than 64 bits|out of range"):
            decode(b'{"x":[%b]}' % text.encode(), Body, fitness)


def test_digits_in_a_text_are_no_number() -> None:
    assert read("9" * 100, STRICT) == "9" * 100


@pytest.mark.parametrize("levels", [63, 100, 5000])
def test_nesting_has_an_end(levels: int) -> None:
    body = b'{"x":' + b"[" * levels + b"]" * levels + b"}"
    if levels < 64:
        assert decode(body, Body, STRICT)
        return
    with pytest.raises(BadRequest):
        decode(body, Body, STRICT)
