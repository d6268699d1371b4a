"""Histories on disk: what was begun, how it ended, and what is not known."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from faults.history import History, read_history


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "history.jsonl")


def test_beginning_and_end_are_one(history: History) -> None:
    number = history.invoke("submit", "j", tasks=3)
    history.settle(number, "ok", code=200)
    history.close()
    (op,) = read_history(history.path)
    assert (op.op, op.key, op.type, op["tasks"], op["code"]) == ("submit", "j", "ok", 3, 200)
    assert op.start <= op.end < math.inf


def test_what_has_no_end_is_unknown(history: History) -> None:
    history.invoke("update", "alfa")
    (op,) = history.ops()
    assert (op.type, op.end, op.may_have_happened) == ("info", math.inf, True)
    history.close()


def test_what_failed_has_not_happened(history: History) -> None:
    history.settle(history.invoke("cancel", "j"), "fail")
    (op,) = history.ops()
    assert not op.may_have_happened
    assert not op.is_ok
    history.close()


def test_several_at_once_are_kept_apart(history: History) -> None:
    first, second = history.invoke("a", "1"), history.invoke("b", "2")
    history.settle(second, "ok")
    history.settle(first, "fail")
    history.note("c", "3")
    assert [(op.op, op.type) for op in history.ops()] == [("a", "fail"), ("b", "ok"), ("c", "ok")]
    history.close()


def test_it_goes_on_in_a_file_that_is_there(history: History) -> None:
    # The crash of a test must not cost what was written before it.
    history.note("a", "1")
    assert history.path.read_text().count("\n") == 2
    history.close()
