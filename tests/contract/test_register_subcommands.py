from __future__ import annotations

from click.testing import CliRunner


def test_the_example_counts_frames(load, example) -> None:
    plugins = load("manager", example("register_subcommands"))
    (subcommand,) = plugins.registered("register_subcommands", host=None).values()
    result = CliRunner().invoke(subcommand.load(), ["1-10,20"])
    assert (result.exit_code, result.output) == (0, "11\n")


def test_there_may_be_no_host(load, implementing) -> None:
    seen = []
    plugins = load("worker", implementing(register_subcommands=lambda host: seen.append(host)))
    assert plugins.registered("register_subcommands", host=None) == {}
    assert seen == [None]
