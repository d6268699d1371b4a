"""The functions that scripts find in their world: texts, paths, frames."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flamenco_core.domain.frames import frame_chunks, frame_count

Evaluate = Callable[[list[str]], list[Any]]


def check(evaluate: Evaluate, table: dict[str, Any]) -> None:
    assert dict(zip(table, evaluate(list(table)), strict=True)) == table


def test_paths_of_all_platforms_come_back_with_forward_slashes(evaluate: Evaluate) -> None:
    check(
        evaluate,
        {
            "path.basename('')": ".",
            "path.basename()": ".",
            "path.basename('/')": "/",
            "path.basename('///')": "/",
            "path.basename('/a/b.c')": "b.c",
            "path.basename('/a/b/')": "b",
            "path.basename('c:\\\\a\\\\b.c')": "b.c",
            "path.basename('b')": "b",
            "path.dirname('')": ".",
            "path.dirname('a')": ".",
            "path.dirname('/x')": "/",
            "path.dirname('/x/y')": "/x",
            "path.dirname('/x/y/')": "/x/y",
            "path.dirname('c:\\\\x\\\\y')": "c:/x",
            "path.dirname('\\\\\\\\server\\\\share\\\\y')": "//server/share",
            "path.dirname('//server/share/y')": "//server/share",
            "path.join()": "",
            "path.join('', '')": "",
            "path.join('a', 'b')": "a/b",
            "path.join('a', '', 'b')": "a/b",
            "path.join('/a/', '/b')": "/a/b",
            "path.join('a//b', './c', '../d')": "a/b/d",
            "path.join('/a', '../../..')": "/",
            "path.join('a', '../..')": "..",
            "path.join('a', '..')": ".",
            "path.join('c:\\\\a', 'b')": "c:/a/b",
            # Cleaned before the backslashes become slashes: the dots stay.
            "path.join('a\\\\..', 'b')": "a/../b",
            "path.join('a\\\\b', '..', 'c')": "c",
            "path.stem('a.b.c')": "a.b",
            "path.stem('/x/a.blend')": "a",
            "path.stem('.x')": "",
            "path.stem('x')": "x",
            "path.stem('c:\\\\x\\\\a.blend')": "a",
        },
    )


def test_command_lines_are_split_as_a_shell_would(evaluate: Evaluate) -> None:
    check(
        evaluate,
        {
            "shellSplit()": [],
            "shellSplit('')": [],
            "shellSplit('  ')": [],
            "shellSplit('a b  c')": ["a", "b", "c"],
            "shellSplit('a\\tb\\nc')": ["a", "b", "c"],
            "shellSplit('a \"b c\" d')": ["a", "b c", "d"],
            "shellSplit(\"a 'b c' d\")": ["a", "b c", "d"],
            "shellSplit('a\"b c\"d')": ["ab cd"],
            "shellSplit('\"\" a')": ["", "a"],
            "shellSplit(\"''\")": [""],
            "shellSplit('a\\\\ b')": ["a b"],
            'shellSplit(\'"a\\\\"b"\')': ['a"b'],
            "shellSplit(\"'a\\\\b'\")": ["a\\b"],
            "shellSplit('a # b c')": ["a"],
            "shellSplit('# b\\nc')": ["c"],
            "shellSplit('a#b')": ["a#b"],
            "shellSplit('\"#\"')": ["#"],
            "shellSplit('\"a')": 'Error: shellSplit: a " is never closed',
            'shellSplit("\'a")': "Error: shellSplit: a ' is never closed",
            "shellSplit('a\\\\')": "Error: shellSplit: nothing follows the last backslash",
            "shellSplit('-y --x=\"1 2\"')": ["-y", "--x=1 2"],
        },
    )


def test_what_is_missing_is_empty_and_what_is_given_is_converted(evaluate: Evaluate) -> None:
    check(
        evaluate,
        {
            "frameChunker('1-4', '2')": ["1,2", "3,4"],
            "frameChunker('1-4', 2.9)": ["1,2", "3,4"],
            "frameChunker(7, 1)": ["7"],
            "frameChunker('1-4', 2, 'more')": ["1,2", "3,4"],
            "frameChunker('1-4')": "Error: invalid chunk size 0: it must be at least 1",
            "frameChunker()": "Error: invalid chunk size 0: it must be at least 1",
            "frameCount()": 'Error: invalid range "": empty range',
            "author.Task('a', 'b').name": "a",
            "author.Task(' a ', ' b ').type": "b",
            "author.Task(12, 'b').name": "12",
            "new author.Task('a', 'b').priority": 50,
            "author.Task()": "Error: author.Task: a name is required",
            "author.Task('  ', 'b')": "Error: author.Task: a name is required",
            "author.Task('a')": "Error: author.Task: a type is required",
            "author.Command().name": "",
            "author.Command('x').parameters": {},
            "author.Command('x').totalStepCount": 0,
            "author.Command('x', {}, '7').totalStepCount": 7,
            "author.Command('x', {}, 2.0).totalStepCount": 2,
            "author.Command('x', {}, 'many').totalStepCount": 0,
            "author.Command('x', [1])": 'TypeError: command "x": its parameters must be an object',
            "author.Command('x', 'y')": 'TypeError: command "x": its parameters must be an object',
            "const t = author.Task('a', 'b'); t.priority = '80'; t.priority": 80,
            "const u = author.Task('a', 'b'); u.addCommand()": (
                "TypeError: addCommand expects a command, made with author.Command"
            ),
        },
    )


def test_what_cannot_be_sent_to_a_worker_is_an_error_that_names_it(evaluate: Evaluate) -> None:
    command = "author.Command('x', {value}).parameters"
    given = {
        "{a: undefined, b: null}": {"b": None},
        "{a: [undefined, 1.0, -0]}": {"a": [None, 1, 0]},
        "{a: new Date(0)}": {"a": "1970-01-01T00:00:00.000Z"},
        "{a: new Set([1, 2])}": {"a": [1, 2]},
        "{a: new Map([['x', 1]])}": {"a": [["x", 1]]},
        "{a: new String('x')}": {"a": "x"},
        "{a: '\\ud800'}": {"a": "\ufffd"},
        "JSON.parse('{\"__proto__\": 1}')": {"__proto__": 1},
        "{a: NaN}": "TypeError: parameters.a: NaN cannot be sent to a worker",
        "{a: 1 / 0}": "TypeError: parameters.a: Infinity cannot be sent to a worker",
        "{a: [() => 1]}": "TypeError: parameters.a[0]: a function cannot be sent to a worker",
        "{a: 5n}": "TypeError: parameters.a: a bigint cannot be sent to a worker",
        "{a: Symbol()}": "TypeError: parameters.a: a symbol cannot be sent to a worker",
        "{a: 'x\\0y'}": "TypeError: parameters.a: a text must not have NUL characters",
    }
    check(evaluate, {command.format(value=value): result for value, result in given.items()})


def test_a_value_that_contains_itself_is_an_error(evaluate: Evaluate) -> None:
    (error,) = evaluate(["const a = {}; a.a = a; author.Command('x', a)"])
    assert "nested too deeply" in error


def test_engine_features_that_scripts_never_had_are_gone(evaluate: Evaluate) -> None:
    names = ["WebAssembly", "SharedArrayBuffer", "Atomics", "console", "setTimeout"]
    assert evaluate([f"typeof {name}" for name in names]) == ["undefined"] * len(names)


def test_the_host_cannot_be_reached_from_a_script(evaluate: Evaluate) -> None:
    ours = "Object.keys(globalThis).filter((name) => globalThis[name] !== undefined)"
    assert evaluate(["typeof host", "typeof globals", ours]) == [
        "undefined",
        "undefined",
        ["compileJob"],
    ]


def in_python(text: str, size: int) -> Any:
    try:
        return [frame_chunks(text, size), frame_count(text)]
    except ValueError as error:
        return f"Error: {error}"


pieces = st.one_of(
    st.integers(0, 60).map(str),
    st.tuples(st.integers(0, 60), st.sampled_from(["-", "..", " - "]), st.integers(0, 90)).map(
        lambda parts: "".join(map(str, parts))
    ),
    st.text(alphabet="0123456789-.,ax \t\u00a0", max_size=6),
)
ranges = st.lists(pieces, max_size=5).map(",".join)


@settings(max_examples=5, deadline=None)
@given(
    cases=st.lists(st.tuples(ranges, st.integers(-1, 12)), min_size=100, max_size=250, unique=True)
)
def test_frames_are_understood_as_in_python(
    evaluate: Evaluate, cases: list[tuple[str, int]]
) -> None:
    calls = [
        f"[frameChunker({json.dumps(text)}, {size}), frameCount({json.dumps(text)})]"
        for text, size in cases
    ]
    assert evaluate(calls) == [in_python(text, size) for text, size in cases]


@pytest.mark.parametrize("text", ["1-1000000", "0-1000000", "1-9999999999", "9" * 16])
def test_the_limits_of_a_range_are_those_of_python(evaluate: Evaluate, text: str) -> None:
    assert evaluate([f"[frameChunker('{text}', 1e6), frameCount('{text}')]"]) == [
        in_python(text, 1_000_000)
    ]


@pytest.mark.parametrize(
    ("zone", "expected"),
    [("UTC", "2023-11-14_221320"), ("Asia/Tokyo", "2023-11-15_071320")],
)
def test_times_are_those_of_the_managers_time_zone(
    evaluate: Evaluate, zone: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    assert evaluate(
        [
            "formatTimestampLocal(new Date(1700000000000))",
            "formatTimestampLocal('today')",
            "formatTimestampLocal(new Date(NaN))",
        ]
    ) == [
        expected,
        "TypeError: formatTimestampLocal: expected job.created or another valid Date",
        "TypeError: formatTimestampLocal: expected job.created or another valid Date",
    ]
