"""Checks of folders and programs, which may be anything, and may never answer."""

from __future__ import annotations

import os
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from flamenco_core.errors import Busy
from flamenco_core.manager.first_start import blender_check, patience, storage_check
from flamenco_core.manager.first_start.blender_check import check_blender
from flamenco_core.manager.first_start.patience import within
from flamenco_core.manager.first_start.protection import is_of_this_machine, loopback_of
from flamenco_core.manager.first_start.storage_check import check_storage

posix = pytest.mark.skipif(sys.platform == "win32", reason="programs are scripts here")


# -- patience ---------------------------------------------------------------------------------


async def test_what_does_not_answer_is_left_alone() -> None:
    never = threading.Event()
    with pytest.raises(TimeoutError):
        await within(0.01, never.wait)
    never.set()


async def test_what_answers_is_passed_on_and_errors_too() -> None:
    assert await within(5, sorted, [2, 1]) == [1, 2]
    with pytest.raises(ZeroDivisionError):
        await within(5, lambda: 1 / 0)


async def test_too_many_that_hang_are_refused_and_come_back(monkeypatch) -> None:
    places = threading.BoundedSemaphore(1)
    monkeypatch.setattr(patience, "_places", places)
    gate = threading.Event()
    with pytest.raises(TimeoutError):
        await within(0.01, gate.wait)
    with pytest.raises(Busy, match="try again later"):
        await within(5, int)
    gate.set()
    assert places.acquire(timeout=5)


# -- the shared storage -----------------------------------------------------------------------


async def test_a_good_folder_is_left_as_it_was(tmp_path: Path) -> None:
    found = await check_storage(f" {tmp_path} ")
    assert found.is_usable, found.cause
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("", "is empty"),
        ("   ", "is empty"),
        ("\\\\server\\share", "network name (UNC)"),
        ("//server/share", "network name (UNC)"),
        ("render/files", "is relative"),
        ("~/render", "is relative"),
        ("/no/such/folder", "does not exist"),
        ("/a\0b", "NUL"),
        ("/" + "x" * 5000, "cannot be used"),
    ],
)
@posix
async def test_a_path_that_will_not_do_is_told_with_a_cure(path: str, words: str) -> None:
    found = await check_storage(path)
    assert not found.is_usable
    assert words in found.cause


async def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "not a directory" in (await check_storage(str(tmp_path / "file"))).cause


@pytest.mark.parametrize(
    ("method", "words"),
    [("open", "written to"), ("replace", "renamed in"), ("unlink", "removed from")],
)
async def test_what_cannot_be_done_in_a_folder_is_told(
    tmp_path, monkeypatch, method, words
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, method, refuse)
    found = await check_storage(str(tmp_path))
    assert not found.is_usable
    assert f"Files cannot be {words} the folder" in found.cause
    assert "Permission denied" in found.cause


async def test_a_share_that_mangles_files_is_told(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(Path, "read_text", lambda *_, **__: "mangled")
    assert "not read as it was written" in (await check_storage(str(tmp_path))).cause
    assert list(tmp_path.iterdir()) == []


async def test_a_full_disk_is_usable_but_told(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(storage_check, "SCARCE", 1 << 62)
    found = await check_storage(str(tmp_path))
    assert found.is_usable
    assert "MB are free" in found.cause


async def test_a_dead_mount_does_not_hold_up_the_manager(tmp_path, monkeypatch) -> None:
    dead = threading.Event()
    monkeypatch.setattr(storage_check, "LIMIT", 0.05)
    monkeypatch.setattr(storage_check, "_plausible", lambda _: dead.wait())
    found = await check_storage(str(tmp_path))
    dead.set()
    assert "did not answer" in found.cause


# -- Blender ----------------------------------------------------------------------------------


def script(folder: Path, text: str, name: str = "blender") -> str:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@posix
async def test_only_the_version_is_asked_for_and_no_secrets_are_told(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("FLAMENCO_DATABASE", "postgresql://me:hunter2@db/x")
    said = tmp_path / "said"
    program = script(tmp_path, f'echo "$@" > {said}; env >> {said}; echo Blender 5.1')
    assert (await check_blender(program)).is_usable
    assert said.read_text().startswith("--version\n")
    assert "hunter2" not in said.read_text()


@posix
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("exit 1", "did not say which Blender it is"),
        ("echo Gimp 3; exit 0", "did not say which Blender it is"),
        ("echo My Blender 3", "did not say which Blender it is"),
        ("kill -9 $$", "did not say which Blender it is"),
        ("yes | head -c 300000", "did not say which Blender it is"),
    ],
)
async def test_what_is_no_blender_is_told(tmp_path, text, words) -> None:
    found = await check_blender(script(tmp_path, text))
    assert not found.is_usable
    assert words in found.cause
    assert found.path == ""


@posix
async def test_a_blender_that_does_not_end_is_ended(tmp_path, monkeypatch) -> None:
    program = script(tmp_path, f"echo $$ > {tmp_path}/pid; echo Blender 5.1; exec sleep 1000")
    assert (await check_blender(program)).cause == "Found Blender 5.1"
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)


@posix
async def test_a_blender_that_says_nothing_has_little_time(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(blender_check, "LIMIT", 0.2)
    found = await check_blender(script(tmp_path, "exec sleep 1000"))
    assert not found.is_usable
    assert "within 0 seconds" in found.cause


@posix
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "type the command"),
        ("\\\\server\\blender.exe", "network names"),
        ("//server/blender", "network names"),
        ("no-such-blender", "no command 'no-such-blender' on PATH"),
        ("/no/such/blender", "there is no such file"),
        ("/usr/bin", "there is none in this folder"),
        ("/bin/sh", "Only programs with 'blender' in their name"),
        ("sh", "Only programs with 'blender' in their name"),
        ("/bin/blender\0", "NUL"),
    ],
)
async def test_what_is_not_run_is_told_with_a_cure(text: str, words: str) -> None:
    found = await check_blender(text)
    assert not found.is_usable
    assert words in found.cause
    assert found.input == text


@posix
async def test_a_file_that_is_no_program_is_told(tmp_path) -> None:
    (tmp_path / "blender").write_text("text")
    found = await check_blender(str(tmp_path / "blender"))
    assert "There was an error running the command" in found.cause


# -- who comes in -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("client", "headers", "near"),
    [
        (None, [], True),
        (("127.0.0.1", 1), [], True),
        (("::1", 1), [], True),
        (("::ffff:127.0.0.1", 1), [], True),
        (("fe80::1%eth0", 1), [], False),
        (("10.0.0.1", 1), [], False),
        (("0.0.0.0", 1), [], False),
        (("somebody", 1), [], False),
        (("127.0.0.1", 1), [(b"x-forwarded-for", b"127.0.0.1")], False),
        (None, [(b"Forwarded", b"for=127.0.0.1")], False),
    ],
)
def test_who_is_at_this_machine(client, headers, near) -> None:
    assert is_of_this_machine(client, headers) is near


@pytest.mark.parametrize(
    ("host", "own"),
    [
        ("", "127.0.0.1"),
        ("0.0.0.0", "127.0.0.1"),
        ("::", "127.0.0.1"),
        ("192.0.2.1", "127.0.0.1"),
        ("farm.example", "127.0.0.1"),
        ("2001:db8::1", "::1"),
        ("::1", "::1"),
        ("localhost", "localhost"),
        ("127.0.0.2", "127.0.0.2"),
    ],
)
def test_where_to_serve_until_the_farm_is_set_up(host, own) -> None:
    assert loopback_of(host) == own
