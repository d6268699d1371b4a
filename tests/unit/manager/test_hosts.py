from __future__ import annotations

import socket

import pytest

from flamenco_core.errors import BadRequest
from flamenco_core.manager.hosts import Hosts


@pytest.mark.parametrize(
    "header",
    [
        b"localhost",
        b"localhost:8080",
        b"LocalHost.",
        b"127.0.0.1:8080",
        b"10.20.30.40",
        b"[::1]:8080",
        b"[fe80::1%eth0]:8080",
        b"farm",
        b"FARM:8080",
        b"farm.local:8080",
        b"farm.fritz.lan",
        b"farm.home.arpa",
        b"app.localhost",
        socket.gethostname().encode(),
    ],
)
def test_what_no_stranger_can_own_is_ours(header: bytes) -> None:
    assert Hosts(()).knows(header)


@pytest.mark.parametrize(
    "header",
    [
        b"evil.example",
        b"evil.example:8080",
        b"127.0.0.1.evil.example",
        b"localhost.evil.example",
        b"farm.local.evil.example",
        b"notlocal.evil",
        b"10.20.30.400",
        b"xn--frm-qla.example",
    ],
)
def test_what_a_stranger_can_own_is_not(header: bytes) -> None:
    assert not Hosts(()).knows(header)


@pytest.mark.parametrize(
    "header",
    [b"", b":80", b"a b", b"a/b", b"me@farm", b"[::1", b"farm:8:8", b"farm:http", b"a,b", b"a?"],
)
def test_what_names_no_host_is_refused(header: bytes) -> None:
    with pytest.raises(BadRequest, match="names no host"):
        Hosts(()).knows(header)


def test_listed_names_are_ours_in_any_spelling() -> None:
    hosts = Hosts(["Farm.Example", "*.studio.example", "färm.example"], "https://public.example/")
    for header in (b"farm.example", b"FARM.example.:80", b"a.b.studio.example"):
        assert hosts.knows(header)
    assert hosts.knows(b"public.example")
    assert hosts.knows(b"xn--frm-qla.example")
    assert not hosts.knows(b"studio.example")
    assert not hosts.knows(b"a.farm.example")


def test_a_star_takes_any_name() -> None:
    assert Hosts(["*"]).knows(b"evil.example")


def test_a_name_can_be_learned_later() -> None:
    hosts = Hosts(())
    assert not hosts.knows(b"farm.studio.example")
    hosts.learn("Farm.studio.example.")
    assert hosts.knows(b"farm.studio.example")
