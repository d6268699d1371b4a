from __future__ import annotations

import ipaddress
from email.utils import parsedate_to_datetime

import pytest

from flamenco_core.builtin.announcement import Announcement
from flamenco_core.builtin.ssdp_answer import Question, write_answer, write_news
from flamenco_core.builtin.ssdp_search import DEVICE, SERVICE, base_url, location_of

GROUP = ("239.255.255.250", 1900)
# As Flamenco 3's Worker sends it.
SEARCH = (
    "M-SEARCH * HTTP/1.1\r\n"
    "HOST: 239.255.255.250:1900\r\n"
    f"ST: {SERVICE}\r\n"
    'MAN: "ssdp:discover"\r\n'
    "MX: 3\r\n"
    "\r\n"
)


@pytest.fixture
def here() -> Announcement:
    return Announcement(
        name="Küche\r\nLOCATION: http://evil/",
        version="1.2",
        served=[("10.0.0.5", 8080)],
        own=[ipaddress.ip_interface("10.0.0.5/24")],
    )


def headers(packet: bytes) -> dict[str, str]:
    head, body = packet.decode("ascii").split("\r\n\r\n")
    assert body == ""
    pairs = [line.split(":", 1) for line in head.split("\r\n")[1:]]
    assert len({name for name, _ in pairs}) == len(pairs)
    return {name: value.strip() for name, value in pairs}


def test_the_official_workers_search_is_understood() -> None:
    assert Question.read(SEARCH.encode()) == Question(SERVICE, 3)


@pytest.mark.parametrize(
    ("asked", "answered"),
    [
        (SERVICE, SERVICE),
        ("ssdp:all", SERVICE),
        (DEVICE, DEVICE),
        (f"uuid:{DEVICE}", f"uuid:{DEVICE}"),
    ],
)
def test_what_may_be_asked_for(asked: str, answered: str) -> None:
    question = Question.read(SEARCH.replace(SERVICE, asked).encode())
    assert question is not None
    assert question.target == answered


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("MX: 3\r\n", ""),
        ("MX: 3", "MX:"),
        ("MX: 3", "MX: 0"),
        ("MX: 3", "MX: -1"),
        ("MX: 3", "MX: soon"),
        ("MX: 3", "MX: 99999999999999999999"),
        ("MX: 3", "MX: ٣"),
        (f"ST: {SERVICE}\r\n", ""),
        (SERVICE, "upnp:rootdevice"),
        (SERVICE, "urn:flamenco:manager:1"),
        (SERVICE, f"{SERVICE}x"),
        (SERVICE, ""),
        ('MAN: "ssdp:discover"\r\n', ""),
        ("ssdp:discover", "ssdp:alive"),
        ("M-SEARCH * HTTP/1.1", "NOTIFY * HTTP/1.1"),
        ("M-SEARCH * HTTP/1.1", "M-SEARCH / HTTP/1.1"),
        ("M-SEARCH * HTTP/1.1", "M-SEARCH * HTTP/2"),
        ("M-SEARCH * HTTP/1.1", "HTTP/1.1 200 OK"),
        ("M-SEARCH * HTTP/1.1\r\n", ""),
        ("\r\n", "\n"),
        ("HOST: ", "X: " + "x" * 60_000),
    ],
)
def test_another_question_is_none(old: str, new: str) -> None:
    changed = SEARCH.replace(old, new)
    assert changed != SEARCH
    assert Question.read(changed.encode()) is None


@pytest.mark.parametrize(
    "packet",
    [b"", b"\0", b"\r\n" * 900, b":" * 2000, b"\xff\xfe" * 1000, b"M-SEARCH", bytes(65_507)],
)
def test_garbage_is_no_question(packet: bytes) -> None:
    assert Question.read(packet) is None


def test_headers_may_be_written_in_any_case_and_order() -> None:
    lines = ["M-SEARCH * HTTP/1.1", "mx:1", "Man:ssdp:discover", f"st:  {SERVICE} ", "X", "", ""]
    assert Question.read("\r\n".join(lines).encode()) == Question(SERVICE, 1)


def test_an_answer_says_what_official_workers_look_at(here: Announcement) -> None:
    packet = write_answer(
        Question(SERVICE, 3), here, "http://10.0.0.5:8080/", 1_775_037_600_000_000
    )
    assert packet.startswith(b"HTTP/1.1 200 OK\r\n")
    said = headers(packet)
    assert said["ST"] == SERVICE
    assert said["USN"] == f"uuid:{DEVICE}::{SERVICE}"
    assert said["LOCATION"] == "http://10.0.0.5:8080/upnp/description.xml"
    assert said["CACHE-CONTROL"] == "max-age=3600"
    assert said["EXT"] == ""
    assert "UPnP/1.0 Flamenco/1.2" in said["SERVER"]
    assert parsedate_to_datetime(said["DATE"]).timestamp() == 1_775_037_600
    location = location_of(packet)
    assert location
    assert base_url(location) == "http://10.0.0.5:8080/"


def test_managers_are_told_apart_by_a_name_that_cannot_add_headers(here: Announcement) -> None:
    packet = write_answer(Question(SERVICE, 1), here, "http://10.0.0.5:8080/", 0)
    assert headers(packet)["X-FLAMENCO-NAME"].startswith("K%C3%BCche%0D%0ALOCATION")


def test_news_say_that_it_is_there_and_that_it_goes(here: Announcement) -> None:
    alive = write_news("alive", here, "http://10.0.0.5:8080/", GROUP)
    assert alive.startswith(b"NOTIFY * HTTP/1.1\r\n")
    said = headers(alive)
    assert (said["NT"], said["NTS"], said["HOST"]) == (
        SERVICE,
        "ssdp:alive",
        "239.255.255.250:1900",
    )
    assert said["LOCATION"] == "http://10.0.0.5:8080/upnp/description.xml"
    goes = headers(write_news("byebye", here, "http://10.0.0.5:8080/", GROUP))
    assert (goes["NTS"], goes["USN"]) == ("ssdp:byebye", said["USN"])
    assert "LOCATION" not in goes
