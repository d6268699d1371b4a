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
    with pytest.raises(
        BadRequest, match=r"more than 65536 characters \(limits: json_text_kilobytes\)"
    ):
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


def test_values_are_counted_in_lists_and_objects() -> None:
    few = attrs.evolve(JOB, most_values=1000, most_keys=500)
    assert read([0] * 1000, few)
    for value in ([0] * 1001, [[]] * 1001, [{"a": 0}] * 450 + [0] * 600):
        with pytest.raises(BadRequest, match=r"more than 1000 values \(limits: json_values\)"):
            read(value, few)
    assert read([[]] * 300_000, ANSWER)


@pytest.mark.parametrize(
    "text",
    [
        'a": 1, ' * 3000,
        "\\",
        '\\"',
        'print("x: y, z")\n' * 2000,
        "\\\\" * 2000 + '":,',
        "{[" * 4000,
    ],
)
def test_what_is_in_a_text_is_neither_key_nor_value(text: str) -> None:
    few = attrs.evolve(JOB, most_values=100, most_keys=100)
    assert read([text, text], few) == [text, text]


def test_a_key_may_stand_apart_from_its_colon() -> None:
    few = attrs.evolve(JOB, most_keys=100)
    body = b"{" + b",".join(b'"k%d" \n\t : 1' % n for n in range(101)) + b"}"
    with pytest.raises(BadRequest, match=r"100 keys \(limits: json_keys\)"):
        decode(body, Body, few)


@pytest.mark.parametrize(
    "body",
    [
        *(b'"a" ' * 400_000 + b":" * 30_000, b'"' + b"\\" * 99_999 + b":" * 30_000),
        *(b'\\"' * 400_000, b":" * 1_000_000, b'"a":' * 400_000, b"," * 1_000_000),
        b'"' * 999_999 + b":,",
    ],
)
def test_what_is_no_json_is_refused_as_well(body: bytes) -> None:
    with pytest.raises(BadRequest):
        decode(body, Body, JOB)


def test_much_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def reads(body: bytes) -> Any:
        raise AssertionError("it was read")

    monkeypatch.setattr("flamenco_core.wire.converter.msgspec.json.decode", reads)
    for value in ({str(n): [] for n in range(20_001)}, [[]] * 200_001):
        body = msgspec.json.encode({"x": value})
        with pytest.raises(BadRequest, match="limits: json_"):
            decode(body, Body, JOB)


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
    with pytest.raises(BadRequest, match=r"more than 64 levels \(limits: json_depth\)"):
        decode(body, Body, STRICT)
    with pytest.raises(BadRequest, match=r"more than 64 levels$"):
        decode(body, Body, ANSWER)  # which a client reads: the limit is its own


@pytest.mark.parametrize("deepest", [8, 256])
def test_how_deep_can_be_set(deepest: int) -> None:
    fitness = attrs.evolve(STRICT, deepest=deepest)
    body = b"[" * (deepest - 2) + b"]" * (deepest - 2)
    assert decode(b'{"x":%b}' % body, Body, fitness)
    with pytest.raises(BadRequest, match=f"more than {deepest} levels"):
        decode(b'{"x":[[%b]]}' % body, Body, fitness)
