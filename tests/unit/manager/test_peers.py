from __future__ import annotations

import pytest

from flamenco_core.manager.peers import Peers


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "client"),
    [
        ([], "127.0.0.1", ["6.6.6.6"], "127.0.0.1"),
        (["127.0.0.1"], "10.0.0.9", ["6.6.6.6"], "10.0.0.9"),
        (["127.0.0.1"], "127.0.0.1", [], "127.0.0.1"),
        (["127.0.0.1"], "127.0.0.1", ["10.0.0.9"], "10.0.0.9"),
        (["127.0.0.1"], "127.0.0.1", ["6.6.6.6, 10.0.0.9"], "10.0.0.9"),
        (["127.0.0.1"], "127.0.0.1", ["6.6.6.6", "10.0.0.9"], "10.0.0.9"),
        (["10.0.0.0/24"], "10.0.0.1", ["6.6.6.6, 172.16.0.5, 10.0.0.2"], "172.16.0.5"),
        (["10.0.0.0/24"], "10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        (["127.0.0.1"], "127.0.0.1", ["nonsense"], "127.0.0.1"),
        (["127.0.0.1"], "127.0.0.1", ["10.0.0.9, "], "127.0.0.1"),
        (["::1"], "::1", ["fd00::7"], "fd00::7"),
        (["10.0.0.1"], "::ffff:10.0.0.1", ["fd00::7"], "fd00::7"),
    ],
)
def test_the_last_hop_that_is_no_proxy_is_the_client(trusted, peer, forwarded, client) -> None:
    assert Peers(trusted).client(peer, [text.encode() for text in forwarded]) == client


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "10.0.0.1"])
def test_this_machine_and_proxies_speak_for_many(address: str) -> None:
    assert Peers(["10.0.0.1"]).speaks_for_many(address)


@pytest.mark.parametrize("address", ["10.0.0.2", "", "unknown", "fe80::1%eth0"])
def test_others_speak_for_themselves(address: str) -> None:
    assert not Peers(["10.0.0.1"]).speaks_for_many(address)
