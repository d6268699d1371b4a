"""A Manager whose disk has failed ends, once it has said so."""

from __future__ import annotations

import asyncio
import logging

import pytest

from flamenco_core.manager.server import serving as server


async def test_the_process_ends_after_its_last_answers(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(server, "LAST_ANSWERS", 0.0)
    ended = asyncio.Event()
    codes: list[int] = []
    monkeypatch.setattr(server.os, "_exit", lambda code: (codes.append(code), ended.set()))
    server._die("the disk failed")
    assert codes == []
    await asyncio.wait_for(ended.wait(), 5)
    assert codes == [74]
    assert ("CRITICAL", "the disk failed") in [
        (logging.getLevelName(r.levelno), r.getMessage()) for r in caplog.records
    ]
