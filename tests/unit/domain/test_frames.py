"""Frame ranges: what counts as one, and how chunks are written."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamenco_core.domain.frames import MAX_FRAMES, frame_chunks, frame_count, frame_numbers

frames = st.lists(st.integers(min_value=0, max_value=300), min_size=1, max_size=60)
sizes = st.integers(min_value=1, max_value=40)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", [1]),
        ("0", [0]),
        ("007", [7]),
        ("1-3", [1, 2, 3]),
        ("1..3", [1, 2, 3]),
        ("  1 - 3 ", [1, 2, 3]),
        ("1 .. 3", [1, 2, 3]),
        ("\u00a01-2\t", [1, 2]),
        ("1,3,5", [1, 3, 5]),
        ("5,3,1", [1, 3, 5]),
        ("5, 3 ,1", [1, 3, 5]),
        ("1-4,2-6", [1, 2, 3, 4, 5, 6]),
        ("1-10,3", list(range(1, 11))),
        ("2,2,2", [2]),
        ("3-3", [3]),
        ("10-1,4", [4]),
        ("999999999999999", [999999999999999]),
    ],
)
def test_a_range_stands_for_its_distinct_frames_in_order(text: str, expected: list[int]) -> None:
    assert frame_numbers(text) == expected
    assert frame_count(text) == len(expected)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "empty range"),
        ("   ", "empty range"),
        ("10-1", "empty range"),
        ("10-1,5-4", "empty range"),
        ("1 10", "1 10"),
        ("a", "a"),
        ("1,,2", '""'),
        ("1,2,", '""'),
        (",", '""'),
        ("-1", "-1"),
        ("-", "-"),
        ("1-", "1-"),
        ("1-2-3", "1-2-3"),
        ("1...3", "1-.3"),
        ("1....3", "1--3"),
        ("1-100x2", "1-100x2"),
        ("1.5", "1.5"),
        ("+1", "+1"),
        ("1_000", "1_000"),
        ("１", "１"),  # a full-width digit is no digit to the Workers  # noqa: RUF001
        ("0x10", "0x10"),
        ("1;2", "1;2"),
        ("1234567890123456", "1234567890123456"),
        ("1-9999999999", "more than 1000000 frames"),
        (f"0-{MAX_FRAMES}", "more than 1000000 frames"),
        ("1-600000,700001-1300000", "more than 1000000 frames"),
    ],
)
def test_what_is_no_range_is_refused_with_the_part_that_is_wrong(text: str, hint: str) -> None:
    for function in (frame_numbers, frame_count, lambda text: frame_chunks(text, 1)):
        with pytest.raises(ValueError, match="invalid range") as raised:
            function(text)
        assert hint in str(raised.value)


def test_overlapping_parts_count_once_towards_the_limit() -> None:
    assert frame_count(f"1-{MAX_FRAMES},1-{MAX_FRAMES}") == MAX_FRAMES


def test_a_very_long_text_is_shortened_in_the_message() -> None:
    with pytest.raises(ValueError, match="invalid range") as raised:
        frame_numbers("x" * 100_000)
    assert len(str(raised.value)) < 300


@pytest.mark.parametrize(
    ("text", "size", "expected"),
    [
        ("1..10,20..25,40", 4, ["1-4", "5-8", "9,10,20,21", "22-25", "40"]),
        ("1-10", 1, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]),
        ("1-10", 10, ["1-10"]),
        ("1-10", 100, ["1-10"]),
        ("1-4", 2, ["1,2", "3,4"]),
        ("1-6", 3, ["1-3", "4-6"]),
        ("1,3,5,6,8,9,10", 100, ["1,3,5,6,8-10"]),
        ("1-3,5-7", 4, ["1-3,5", "6,7"]),
    ],
)
def test_chunks_are_written_in_their_shortest_form(
    text: str, size: int, expected: list[str]
) -> None:
    assert frame_chunks(text, size) == expected


@pytest.mark.parametrize("size", [0, -1, -1000])
def test_a_chunk_has_at_least_one_frame(size: int) -> None:
    with pytest.raises(ValueError, match="chunk size"):
        frame_chunks("1-10", size)


@given(frames, sizes)
def test_chunks_hold_every_frame_once_and_in_order(numbers: list[int], size: int) -> None:
    text = ",".join(map(str, numbers))
    chunks = [frame_numbers(chunk) for chunk in frame_chunks(text, size)]
    assert [frame for chunk in chunks for frame in chunk] == sorted(set(numbers))
    assert all(len(chunk) == size for chunk in chunks[:-1])
    assert 1 <= len(chunks[-1]) <= size


@given(frames)
def test_one_chunk_of_everything_says_the_same_in_its_own_words(numbers: list[int]) -> None:
    text = ",".join(map(str, numbers))
    (chunk,) = frame_chunks(text, 1000)
    assert frame_numbers(chunk) == frame_numbers(text)
    assert frame_chunks(chunk, 1000) == [chunk]


@given(st.text(alphabet="0123456789-.,ax ", max_size=12))
def test_any_text_is_a_range_or_a_value_error(text: str) -> None:
    numbers: list[int] | None = None
    with suppress(ValueError):
        numbers = frame_numbers(text)
    if numbers is None:
        with pytest.raises(ValueError, match="invalid range"):
            frame_count(text)
    else:
        assert numbers == sorted(set(numbers))
        assert len(numbers) == frame_count(text) >= 1
