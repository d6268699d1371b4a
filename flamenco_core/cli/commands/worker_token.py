"""``flamenco worker-token``: what lets machines join the farm."""

from __future__ import annotations

import click

from flamenco_core.cli.context import Cli, as_json, asks_manager, pass_cli
from flamenco_core.cli.output import local_time, print_json, print_table

__all__ = ["worker_token"]


@click.group()
def worker_token() -> None:
    """Make, list and revoke registration tokens for Workers.

    They count where 'worker_registration: mode:' is 'token' or 'approval'.
    """


@worker_token.command()
@click.option("--ttl", metavar="AGE", default="24h", show_default=True, help="How long it counts.")
@click.option("--uses", type=int, default=1, show_default=True, help="For how many Workers.")
@click.option("--tag", metavar="NAME", help="A tag that these Workers get.")
@as_json
@asks_manager
@pass_cli
def create(cli: Cli, ttl: str, uses: int, tag: str | None, as_json: bool) -> None:
    """Make a token, and show it: this once, and never again."""
    from flamenco_core.client.workers import WorkersClient
    from flamenco_core.wire.registration import NewRegistrationToken

    wish = NewRegistrationToken(ttl_seconds=_seconds(ttl), uses=uses, tag=tag)
    with cli.client() as client:
        made = WorkersClient(client).create_token(wish)
        if as_json:
            print_json(made)
            return
        # Alone on the standard output, for scripts.
        click.echo(made.token)
        _say_how(client.url, made.token, uses, local_time(made.details.expires))


def _say_how(url: str, token: str, uses: int, until: str) -> None:
    workers = "1 Worker" if uses == 1 else f"{uses} Workers"
    click.echo(
        f"For {workers}, until {until}. Nobody can show it again.\n"
        "  A Worker reads it from FLAMENCO_REGISTRATION_TOKEN, or from its settings.\n"
        f"  For Flamenco 3's own:  manager_url: {url}/join/{token}/",
        err=True,
    )


def _seconds(ttl: str) -> int:
    from flamenco_core.config.age import parse_age
    from flamenco_core.errors import BadRequest

    try:
        return parse_age(ttl)
    except ValueError as error:
        raise BadRequest(f"--ttl: {error}") from None


@worker_token.command("list")
@as_json
@asks_manager
@pass_cli
def list_tokens(cli: Cli, as_json: bool) -> None:
    """List the tokens that count, and those of the last weeks."""
    from flamenco_core.client.workers import WorkersClient

    with cli.client() as client:
        found = WorkersClient(client).tokens()
    if as_json:
        print_json(found)
        return
    rows = [
        (one.id, one.status, f"{one.used}/{one.uses}", local_time(one.expires), one.tag or "")
        for one in found
    ]
    columns = ["id", "status", "used", "until", "tag"]
    print_table(columns, rows, empty="no tokens; 'flamenco worker-token create' makes one")


@worker_token.command()
@click.argument("tokens", metavar="ID...", nargs=-1, required=True)
@asks_manager
@pass_cli
def revoke(cli: Cli, tokens: tuple[str, ...]) -> None:
    """Let tokens open nothing any more; the Workers that have joined stay.

    ID is what 'list' shows, or the whole token.
    """
    from flamenco_core.client.workers import WorkersClient

    with cli.client() as client:
        for text in tokens:
            id = _id(text)
            WorkersClient(client).revoke_token(id)
            click.echo(f"token {id} opens nothing any more")


def _id(text: str) -> str:
    from flamenco_core.tokens import read_token

    token = read_token(text)
    return token.id if token else text
