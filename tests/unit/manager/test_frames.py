from __future__ import annotations

import random

import pytest

from flamenco_core.manager.store.frames import Kind, Message, Reader, frames_of


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def read_all(reader: Reader, frames: list[str]) -> list[Message]:
    return [message for frame in frames if (message := reader.read(frame)) is not None]


@pytest.mark.parametrize("size", [0, 1, 5_000, 100_000, 2_000_000])
def test_a_message_of_any_size_arrives_in_frames_that_fit(size: int) -> None:
    message = Message(sender=2**31 - 1, kind=Kind.WELCOME, content=noise(size), to=2**31 - 2)
    frames = [*frames_of(message, 10**12)]
    assert max(len(frame.encode()) for frame in frames) < 8000
    # PostgreSQL sends equal ones of a transaction once.
    assert len(set(frames)) == len(frames)
    assert read_all(Reader(), frames) == [message]


def test_what_repeats_itself_takes_one_frame() -> None:
    message = Message(sender=1, kind=Kind.NEWS, content=b"the same again; " * 10_000)
    assert len([*frames_of(message, 1)]) == 1


def test_messages_of_several_may_come_mixed() -> None:
    messages = [Message(sender=n, kind=Kind.NEWS, content=noise(30_000 + n)) for n in (1, 2)]
    one, two = ([*frames_of(message, 1)] for message in messages)
    mixed = [frame for pair in zip(one, two, strict=True) for frame in pair]
    assert read_all(Reader(), mixed) == messages


def test_what_breaks_off_is_forgotten() -> None:
    reader = Reader()
    begun = [*frames_of(Message(sender=1, kind=Kind.NEWS, content=noise(30_000)), 1)]
    whole = Message(sender=1, kind=Kind.NEWS, content=noise(40_000))
    assert read_all(reader, begun[:-1]) == []
    assert read_all(reader, [*frames_of(whole, 2)]) == [whole]
    assert len(reader._begun) == 0


@pytest.mark.parametrize(
    "frame",
    [
        "",
        "hello",
        "1|news|0|1|0",
        "1|news|0|1|0|%%%",
        "1|news|0|1|0|AAAA",
        "x|news|0|1|0|eJwDAAAAAAE=",
        "1|gossip|0|1|0|eJwDAAAAAAE=",
        "1|news|all|1|0|eJwDAAAAAAE=",
        "1|news|0|1|0|é",
    ],
)
def test_what_is_no_frame_is_passed_over(frame: str) -> None:
    assert Reader().read(frame) is None
