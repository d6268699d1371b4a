from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from flamenco_core.worker.credentials import Credentials, CredentialsFile

WHO = Credentials("6f0e2b5e-0000-4000-8000-000000000000", "0123abcd" * 8)


def test_credentials_are_there_after_a_restart(tmp_path: Path) -> None:
    assert CredentialsFile(tmp_path).load() is None
    CredentialsFile(tmp_path).save(WHO)
    assert CredentialsFile(tmp_path).load() == WHO
    assert [f.name for f in tmp_path.iterdir()] == ["flamenco-worker-credentials.yaml"]


@pytest.mark.skipif(sys.platform == "win32", reason="reads modes of POSIX")
def test_only_the_owner_can_read_them(tmp_path: Path) -> None:
    former = os.umask(0)
    try:
        CredentialsFile(tmp_path).save(WHO)
    finally:
        os.umask(former)
    assert (tmp_path / "flamenco-worker-credentials.yaml").stat().st_mode & 0o777 == 0o600


def test_a_failed_write_leaves_the_old_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    CredentialsFile(tmp_path).save(WHO)

    def fail(_: int) -> None:
        raise OSError(28, "no space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space"):
        CredentialsFile(tmp_path).save(Credentials("other", "other"))
    assert CredentialsFile(tmp_path).load() == WHO
    assert len(list(tmp_path.iterdir())) == 1


def test_the_file_of_flamencos_own_worker_is_read(tmp_path: Path) -> None:
    path = tmp_path / "flamenco-worker-credentials.yaml"
    path.write_text('# Credentials: for "Flamenco"\n\nworker_id: abc\nworker_secret: "def"\n')
    assert CredentialsFile(tmp_path).load() == Credentials("abc", "def")


@pytest.mark.parametrize("content", [b"", b"worker_id: abc\n", b"\xff\xfe\x00", b"worker_id"])
def test_a_broken_file_is_put_aside_not_lost(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "flamenco-worker-credentials.yaml"
    path.write_bytes(content)
    assert CredentialsFile(tmp_path).load() is None
    assert path.with_name("flamenco-worker-credentials.yaml.broken").read_bytes() == content


def test_the_secret_is_not_shown() -> None:
    assert WHO.secret not in repr(WHO)
