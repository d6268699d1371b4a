from __future__ import annotations

import random
from collections.abc import AsyncIterator

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flamenco_core.testing import FakeClock
from flamenco_core.worker.logchunks import (
    CHUNK_BYTES,
    LINE_BYTES,
    LineSplitter,
    LogChunks,
    clean,
    pieces,
)


class Sent(list[str]):
    async def __call__(self, text: str) -> None:
        self.append(text)


@pytest.fixture
def sent() -> Sent:
    return Sent()


@pytest.fixture
async def chunks(sent: Sent, clock: FakeClock) -> AsyncIterator[LogChunks]:
    chunks = LogChunks(sent, clock=clock, age=2)
    async with anyio.create_task_group() as group:
        group.start_soon(chunks.run)
        yield chunks
        group.cancel_scope.cancel()


async def test_a_line_waits_for_others_but_not_for_long(
    chunks: LogChunks, sent: Sent, clock: FakeClock
) -> None:
    await chunks.add("one")
    await clock.advance(1.9)
    await chunks.add("two")
    assert sent == []
    await clock.advance(0.2)
    assert sent == ["one\ntwo\n"]


async def test_each_piece_has_its_own_time(chunks: LogChunks, sent: Sent, clock: FakeClock) -> None:
    await chunks.add("one")
    await clock.advance(100)
    await chunks.add("two")
    await clock.advance(2)
    assert sent == ["one\n", "two\n"]
    await clock.advance(1000)
    assert len(sent) == 2


async def test_enough_lines_go_at_once(chunks: LogChunks, sent: Sent) -> None:
    while not sent:
        await chunks.add("x" * 99)
    assert len(sent[0]) == CHUNK_BYTES // 100 * 100 + 100


async def test_the_rest_can_go_with_another_message(chunks: LogChunks, sent: Sent) -> None:
    await chunks.add("one")
    assert chunks.take() == "one\n"
    assert chunks.take() is None
    await chunks.flush()
    assert sent == []


async def test_a_flood_is_cut_and_the_log_says_so(sent: Sent, clock: FakeClock) -> None:
    chunks = LogChunks(sent, clock=clock, rate=1000)
    for _ in range(10_000):
        await chunks.add("x" * 99)
    assert sum(map(len, sent)) <= 4000
    await clock.advance(1)
    await chunks.add("after")
    await chunks.flush()
    assert "".join(sent).endswith("x\n[9960 lines left out: too much output]\nafter\n")


async def test_the_count_of_lines_left_out_is_not_lost_at_the_end(
    sent: Sent, clock: FakeClock
) -> None:
    chunks = LogChunks(sent, clock=clock, rate=10)
    await chunks.add("x" * 100)
    assert chunks.take() == "[1 lines left out: too much output]\n"


def test_lines_come_out_whole_however_they_arrive() -> None:
    data = "erste Zeile\r\nzweite: äöü\n\nlast".encode()
    splitter = LineSplitter()
    lines = [line for byte in data for line in splitter.feed(bytes([byte]))]
    assert [*lines, *splitter.end()] == ["erste Zeile", "zweite: äöü", "", "last"]
    assert list(splitter.end()) == []


def test_a_line_without_end_is_cut_and_does_not_fill_the_memory() -> None:
    splitter = LineSplitter()
    lines = []
    for _ in range(100):
        lines += splitter.feed(b"x" * 10_000)
        assert len(splitter._rest) <= LINE_BYTES
    lines += splitter.end()
    assert "".join(lines) == "x" * 1_000_000
    assert max(map(len, lines)) == LINE_BYTES


def test_bytes_that_are_no_text_become_replacement_characters() -> None:
    splitter = LineSplitter()
    assert list(splitter.feed(b"caf\xe9 \x00\n")) == ["caf\ufffd \ufffd"]


@pytest.mark.parametrize("text", ["plain", "\udce9", "a\0b", "👩‍🎨"])
def test_clean_text_is_always_utf8_without_nul(text: str) -> None:
    assert "\0" not in clean(text)
    clean(text).encode()


@given(st.text(max_size=200), st.integers(4, 20))
def test_pieces_are_never_cut_inside_a_character(text: str, longest: int) -> None:
    data = text.encode("utf-8", "replace")
    cut = list(pieces(data, longest))
    assert b"".join(cut) == data
    assert all(len(piece) <= longest for piece in cut)
    for piece in cut:
        piece.decode()


@given(st.binary(max_size=300), st.integers(0, 1000))
def test_no_bytes_are_lost_or_loop_for_ever(data: bytes, seed: int) -> None:
    assert b"".join(pieces(data, 8)) == data
    splitter, parts, rest = LineSplitter(), [], data
    chance = random.Random(seed)
    while rest:
        size = chance.randint(1, 20)
        parts += splitter.feed(rest[:size])
        rest = rest[size:]
    parts += splitter.end()
    whole = LineSplitter()
    assert parts == [*whole.feed(data), *whole.end()]
