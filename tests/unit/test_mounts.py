from __future__ import annotations

from pathlib import Path

import pytest

from flamenco_core import mounts

MOUNTINFO = r"""
22 1 252:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
31 22 0:28 / /mnt/render rw shared:2 - nfs4 server:/render rw,vers=4.2
40 22 0:30 / /mnt/my\040share rw - cifs //box/share rw
41 31 252:1 / /mnt/render/scratch rw - xfs /dev/vdb rw
42 41 0:31 / /mnt/render/scratch rw - fuse.sshfs me@box:/ rw
""".lstrip()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/home/farm.sqlite", "ext4"),
        ("/mnt/render", "nfs4"),
        ("/mnt/render/a/farm.sqlite", "nfs4"),
        ("/mnt/rendering/farm.sqlite", "ext4"),
        ("/mnt/my share/farm.sqlite", "cifs"),
        ("/mnt/render/scratch/x", "fuse.sshfs"),
    ],
)
def test_the_innermost_and_last_mount_counts(path: str, kind: str) -> None:
    assert mounts._kind_at(Path(path), mounts.mounts_in(MOUNTINFO)) == kind


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "CIFS", "smb3", "fuse.sshfs", "remote"])
def test_other_machines_file_systems_are_known(kind: str) -> None:
    assert mounts.is_network(kind)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "fuse", ""])
def test_those_of_this_machine_are_not_among_them(kind: str) -> None:
    assert not mounts.is_network(kind)


def test_the_kind_of_a_real_folder_is_found_and_an_unreadable_table_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts.file_system_of(tmp_path)
    for name in ("_linux_mounts", "_mac_mounts"):

        def broken() -> None:
            raise OSError("no /proc here")

        monkeypatch.setattr(mounts, name, broken)
    assert mounts.file_system_of(tmp_path) == ""
