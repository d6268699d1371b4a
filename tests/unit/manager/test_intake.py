"""How much of a body is taken, as the settings say it."""

from __future__ import annotations

from typing import Any

import pytest
from litestar import Litestar, post

from flamenco_core.errors import BadRequest, TooLarge
from flamenco_core.manager.http.bodies import bounded
from flamenco_core.manager.intake import BODY, Intake
from flamenco_core.manager.limits import Limits

INTAKE = Intake.of(Limits(body_kilobytes=16, job_body_megabytes=1))


def scope_of(*headers: tuple[bytes, bytes], opt: Any = None, own: int | None = None) -> Any:
    """A request for a route that says *opt*, and that may have a limit of Litestar's."""

    @post("/", opt=opt or {}, request_max_body_size=own)
    async def handler() -> None: ...

    route = Litestar([handler]).routes[0]
    (found,) = (pair[0] for name, pair in route.route_handler_map.items() if name == "POST")
    return {"type": "http", "headers": [*headers], "route_handler": found}


def pieces(*sizes: int) -> Any:
    left = [{"type": "http.request", "body": b"x" * size, "more_body": True} for size in sizes]

    async def receive() -> Any:
        return left.pop(0)

    return receive


def length(size: int) -> tuple[bytes, bytes]:
    return b"content-length", str(size).encode()


CHUNKED = (b"transfer-encoding", b"chunked")


def test_what_has_no_body_is_received_as_it_is() -> None:
    receive = pieces()
    assert bounded(scope_of(), receive, INTAKE) is receive


@pytest.mark.parametrize(
    ("opt", "most", "words"),
    [
        ({}, 16 * 2**10, r"16 kilobytes \(limits: body_kilobytes\)"),
        ({BODY: "job"}, 2**20, r"1 megabytes \(limits: job_body_megabytes\)"),
        ({BODY: "image"}, 25 * 2**20, r"25 megabytes \(limits: image_megabytes\)"),
    ],
)
def test_a_body_is_refused_by_its_length_with_the_setting(opt: Any, most: int, words: str) -> None:
    receive = pieces()
    assert bounded(scope_of(length(most), opt=opt), receive, INTAKE) is receive
    with pytest.raises(TooLarge, match=words):
        bounded(scope_of(length(most + 1), opt=opt), receive, INTAKE)


async def test_chunks_are_counted_while_they_come() -> None:
    receive = bounded(scope_of(CHUNKED), pieces(10_000, 6384, 1), INTAKE)
    assert len((await receive())["body"]) == 10_000
    await receive()
    with pytest.raises(TooLarge, match="body_kilobytes"):
        await receive()


async def test_a_length_beside_chunks_is_not_believed() -> None:
    receive = bounded(scope_of(CHUNKED, length(1)), pieces(17_000), INTAKE)
    with pytest.raises(TooLarge):
        await receive()


async def test_the_end_of_a_connection_is_passed_on() -> None:
    async def gone() -> Any:
        return {"type": "http.disconnect"}

    receive = bounded(scope_of(CHUNKED), gone, INTAKE)
    assert await receive() == {"type": "http.disconnect"}


def test_a_route_may_have_a_limit_of_its_own() -> None:
    receive = pieces()
    assert bounded(scope_of(length(10**7), own=2 * 10**7), receive, INTAKE) is receive


@pytest.mark.parametrize("text", [b"", b"-1", b"x", b"1" * 19, b"\xb2", b"1 2"])
def test_a_length_that_is_none_is_a_bad_request(text: bytes) -> None:
    with pytest.raises(BadRequest, match="Content-Length must be a number"):
        bounded(scope_of((b"content-length", text)), pieces(), INTAKE)


def test_json_is_held_to_the_settings() -> None:
    limits = Limits(json_depth=9, json_keys=1001, json_values=1002, json_text_kilobytes=3)
    intake = Intake.of(limits)
    for fitness in (intake.strict, intake.job, intake.free_text):
        assert (fitness.deepest, fitness.most_keys, fitness.most_values) == (9, 1001, 1002)
    assert intake.strict.longest_text == 3 * 2**10
    assert intake.job.longest_text is intake.free_text.longest_text is None
    assert intake.strict.is_plain
    assert not intake.free_text.is_plain
