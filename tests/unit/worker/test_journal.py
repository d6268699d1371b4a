from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from flamenco_core.worker.journal import Journal, Record


@contextmanager
def opened(path: Path) -> Iterator[tuple[Journal, list[Record]]]:
    journal = Journal(path)
    records = journal.open()
    try:
        yield journal, records
    finally:
        journal.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "outbox"


def one(number: int) -> Record:
    return Record(number, {"n": number})


def test_what_was_added_is_there_after_a_restart_in_order(path: Path) -> None:
    with opened(path) as (journal, _):
        for number in (1, 2, 3):
            journal.add(one(number))
    with opened(path) as (_, records):
        assert records == [one(1), one(2), one(3)]


def test_a_record_is_on_disk_when_it_was_added(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(path) as (journal, _):
        synced = []
        monkeypatch.setattr(os, "fsync", lambda file: synced.append(os.fstat(file).st_size))
        journal.add(one(1))
        assert synced == [path.stat().st_size] != [0]


def test_what_was_removed_is_not(path: Path) -> None:
    with opened(path) as (journal, _):
        for number in (1, 2, 3):
            journal.add(one(number))
        journal.remove([1, 3])
    with opened(path) as (_, records):
        assert records == [one(2)]


def test_an_empty_journal_takes_no_room(path: Path) -> None:
    with opened(path) as (journal, _):
        journal.add(one(1))
        journal.add(one(2))
        journal.remove([1])
        journal.remove([2])
        assert path.stat().st_size == 0
        journal.add(one(3))
    with opened(path) as (_, records):
        assert records == [one(3)]


@pytest.mark.parametrize("cut", range(1, 30))
def test_a_torn_last_line_is_left_out_wherever_it_is_torn(path: Path, cut: int) -> None:
    with opened(path) as (journal, _):
        journal.add(one(1))
        whole = path.stat().st_size
        journal.add(one(2))
    content = path.read_bytes()
    path.write_bytes(content[: max(whole, len(content) - cut)])
    with opened(path) as (journal, records):
        # Only the newline may be missing without harm.
        assert records in ([one(1)], [one(1), one(2)])
        assert cut == 1 or records == [one(1)]
        journal.add(one(3))
    with opened(path) as (_, again):
        assert again == [*records, one(3)]


def test_garbage_between_records_costs_only_itself(path: Path) -> None:
    with opened(path) as (journal, _):
        journal.add(one(1))
    path.write_bytes(path.read_bytes() + b"00000000 {}\n\xff\xfe\x00\n")
    with opened(path) as (journal, records):
        assert records == [one(1)]


def test_after_a_failed_write_the_next_record_stands_alone(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    with opened(path) as (journal, _):
        journal.add(one(1))
        real = os.write
        with monkeypatch.context() as patch:

            def half(file: int, data: bytes) -> int:
                real(file, data[: len(data) // 2])
                raise OSError(28, "no space left on device")

            patch.setattr(os, "write", half)
            with pytest.raises(OSError, match="no space"):
                journal.add(one(2))
        journal.add(one(3))
    with opened(path) as (_, records):
        assert records == [one(1), one(3)]
