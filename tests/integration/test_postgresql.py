from __future__ import annotations

import psycopg
import pytest

from flamenco_core.testing.postgresql import PostgresServer, find_binaries

pytestmark = pytest.mark.postgresql


def connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


@pytest.mark.parametrize("time", ["first", "second"])
def test_each_test_has_an_empty_database(postgresql_url: str, time: str) -> None:
    with connect(postgresql_url) as connection:
        connection.execute("CREATE TABLE seen (time text)")
        connection.execute("INSERT INTO seen VALUES (%s)", [time])


def test_what_is_committed_is_on_disk(postgresql_url: str) -> None:
    with connect(postgresql_url) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)


def test_a_connection_left_open_does_not_keep_the_database(
    postgresql_server: PostgresServer,
) -> None:
    name = postgresql_server.create_database()
    connection = connect(postgresql_server.url(name))
    postgresql_server.drop_database(name)
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")


def test_a_stopped_server_leaves_nothing_behind(postgresql_server: PostgresServer) -> None:
    binaries = find_binaries()
    assert binaries is not None
    server = PostgresServer(binaries, fsync=False)
    server.start()
    with connect(server.url("postgres")) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("off",)
    server.stop()
    assert not server.folder.exists()
    with pytest.raises(psycopg.OperationalError):
        connect(server.url("postgres"))


def test_a_failing_program_says_why(postgresql_server: PostgresServer) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)psql failed.*syntax error"):
        postgresql_server.drop_database("two words")
