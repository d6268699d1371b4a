from __future__ import annotations

from types import SimpleNamespace

import pytest

from flamenco_core import Identity
from flamenco_core.errors import Forbidden


def asked(**headers: str) -> dict[str, object]:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"connection": SimpleNamespace(headers=names), "manager": None}


async def test_the_example_knows_people_of_the_proxy(load, example) -> None:
    plugins = load("manager", example("find_identity"))
    found = await plugins.find("find_identity", **asked(x_remote_user="ada"))
    assert found == Identity(kind="person", id="ada", name="ada")
    assert await plugins.find("find_identity", **asked()) is None


async def test_the_last_registered_is_asked_first(load, implementing) -> None:
    first = implementing("first", find_identity=lambda: Identity(name="first"))
    last = implementing("last", find_identity=lambda: Identity(name="last"))
    found = await load("manager", first, last).find("find_identity", **asked())
    assert found.name == "last"


@pytest.mark.parametrize("error", [Forbidden("wrong token"), RuntimeError("database is down")])
async def test_an_error_lets_nobody_in(load, example, implementing, error: Exception) -> None:
    async def find_identity() -> None:
        raise error

    plugins = load("manager", example("find_identity"), implementing(find_identity=find_identity))
    with pytest.raises(type(error)):
        await plugins.find("find_identity", **asked(x_remote_user="ada"))
