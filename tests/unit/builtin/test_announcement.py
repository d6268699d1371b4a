from __future__ import annotations

import ipaddress
from typing import Any

import pytest

from flamenco_core.builtin import announcement
from flamenco_core.builtin.announcement import Announcement
from flamenco_core.builtin.own_addresses import is_neighbor, own_addresses, towards
from flamenco_core.builtin.zeroconf_announce import describe

OWN = [
    ipaddress.ip_interface(text)
    for text in ("10.0.0.5/24", "127.0.0.1/8", "192.168.7.5/24", "203.0.113.5/24")
] + [ipaddress.ip_interface("::1/128"), ipaddress.ip_interface("fd00::5/64")]
ROUTES = {"10.0.0.9": "10.0.0.5", "192.168.7.9": "192.168.7.5", "127.0.0.1": "127.0.0.1"}
ROUTES |= {"fd00::9": "fd00::5", "::1": "::1"}


@pytest.fixture(autouse=True)
def routes(monkeypatch: pytest.MonkeyPatch) -> None:
    def known(asker: Any) -> Any:
        found = ROUTES.get(str(asker))
        return found and ipaddress.ip_address(found)

    monkeypatch.setattr(announcement, "towards", known)


def at(*hosts: str, own: Any = OWN, name: str = "Farm") -> Announcement:
    return Announcement(name=name, version="1", served=[(host, 8080) for host in hosts], own=own)


@pytest.mark.parametrize(
    ("hosts", "asker", "urls"),
    [
        (["0.0.0.0"], "10.0.0.9", ["http://10.0.0.5:8080/"]),
        (["0.0.0.0"], "192.168.7.9", ["http://192.168.7.5:8080/"]),
        (["0.0.0.0"], "127.0.0.1", ["http://127.0.0.1:8080/"]),
        (["::", "0.0.0.0"], "10.0.0.9", ["http://10.0.0.5:8080/"]),
        (["::"], "fd00::9", ["http://[fd00::5]:8080/"]),
        (["::"], "10.0.0.9", ["http://[fd00::5]:8080/"]),
        (["10.0.0.5"], "192.168.7.9", ["http://10.0.0.5:8080/"]),
        (["fd00::5"], "10.0.0.9", ["http://[fd00::5]:8080/"]),
        (["127.0.0.1"], "10.0.0.9", []),
        (["::1"], "10.0.0.9", []),
        (["::1"], "127.0.0.1", ["http://[::1]:8080/"]),
        (["127.0.0.1"], "127.0.0.1", ["http://127.0.0.1:8080/"]),
        (["127.0.0.1", "10.0.0.5"], "10.0.0.9", ["http://10.0.0.5:8080/"]),
    ],
)
def test_everybody_is_told_the_address_on_their_side(
    hosts: list[str], asker: str, urls: list[str]
) -> None:
    assert at(*hosts).urls_for(ipaddress.ip_address(asker)) == urls


def test_where_there_is_no_way_back_loopback_is_not_told() -> None:
    for url in at("0.0.0.0").urls_for(ipaddress.ip_address("172.16.0.1")):
        assert "127.0.0.1" not in url


@pytest.mark.parametrize(
    ("hosts", "cards"),
    [
        (["0.0.0.0"], ["10.0.0.5", "192.168.7.5", "203.0.113.5"]),
        (["::"], ["10.0.0.5", "192.168.7.5", "203.0.113.5"]),
        (["fd00::5"], ["10.0.0.5", "192.168.7.5", "203.0.113.5"]),
        (["10.0.0.5"], ["10.0.0.5"]),
        (["10.0.0.5", "127.0.0.1"], ["10.0.0.5"]),
        (["127.0.0.1"], ["127.0.0.1"]),
        (["127.0.0.2"], ["127.0.0.1"]),
        (["::1"], ["127.0.0.1"]),
    ],
)
def test_it_is_found_on_the_networks_it_listens_on(hosts: list[str], cards: list[str]) -> None:
    assert [str(card) for card in at(*hosts).cards] == cards


def test_a_machine_without_a_network_finds_itself() -> None:
    alone = at("0.0.0.0", own=[ipaddress.ip_interface("127.0.0.1/8")])
    assert [str(card) for card in alone.cards] == ["127.0.0.1"]
    assert [str(address) for address in alone.addresses] == ["127.0.0.1"]
    assert at("0.0.0.0", own=[]).cards == []


@pytest.mark.parametrize(
    ("hosts", "addresses"),
    [
        (["0.0.0.0"], ["10.0.0.5", "192.168.7.5", "203.0.113.5"]),
        (["::", "0.0.0.0"], ["10.0.0.5", "192.168.7.5", "203.0.113.5", "fd00::5"]),
        (["192.168.7.5"], ["192.168.7.5"]),
        (["127.0.0.1"], ["127.0.0.1"]),
    ],
)
def test_zeroconf_says_all_addresses_that_others_can_reach(
    hosts: list[str], addresses: list[str]
) -> None:
    said = describe(at(*hosts), "host")
    assert said["addresses"] == [ipaddress.ip_address(a).packed for a in addresses]
    assert said["port"] == 8080


@pytest.mark.parametrize(
    ("name", "host", "label", "server"),
    [
        ("Farm", "alfa", "Farm on alfa", "flamenco-alfa-8080.local."),
        ("v1.2\n", "alfa.studio.example", "v1-2- on alfa-studio-example", None),
        ("", "", " on ", "flamenco-host-8080.local."),
        ("Ä" * 100, "h" * 300, "Ä" * 27, f"flamenco-{'h' * 40}-8080.local."),
        ("\udcff", "ä", "? on ä", "flamenco-host-8080.local."),
    ],
)
def test_zeroconf_names_fit_whatever_people_write(
    name: str, host: str, label: str, server: str | None
) -> None:
    said = describe(at("10.0.0.5", name=name), host)
    assert said["name"] == f"{label.strip()}._flamenco._tcp.local."
    assert server is None or said["server"] == server
    assert len(said["properties"]["name"].encode()) <= 200


@pytest.mark.parametrize(
    "address",
    ["10.0.0.9", "127.0.0.1", "192.168.99.1", "203.0.113.77", "169.254.1.1", "fd00::9", "::1"],
)
def test_neighbors_get_answers(address: str) -> None:
    assert is_neighbor(ipaddress.ip_address(address), OWN)


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.255",
        "10.0.0.0",
        "127.255.255.255",
        "203.0.113.255",
        "255.255.255.255",
        "239.255.255.250",
        "224.0.0.1",
        "0.0.0.0",
        "250.1.1.1",
        "8.8.8.8",
        "ff02::c",
        "::",
        "2600::1",
    ],
)
def test_strangers_and_everybody_at_once_get_none(address: str) -> None:
    assert not is_neighbor(ipaddress.ip_address(address), OWN)


def test_this_machine_knows_its_own_addresses() -> None:
    own = own_addresses()
    assert ipaddress.ip_interface("127.0.0.1/8") in own
    assert not [card for card in own if card.version == 6 and card.ip.is_link_local]
    assert [card.version for card in own] == sorted(card.version for card in own)
    assert towards(ipaddress.ip_address("127.0.0.1")) == ipaddress.ip_address("127.0.0.1")
