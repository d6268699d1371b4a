"""Make, list and revoke what lets machines join."""

from __future__ import annotations

from flamenco_core.errors import BadRequest, NotFound
from flamenco_core.manager.store import registration_tokens as token_rows
from flamenco_core.manager.store import tags as tag_rows
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.tokens import Token, secret_hash
from flamenco_core.wire.registration import LONGEST, MOST_USES

__all__ = ["create_token", "held_tag", "list_tokens", "revoke_token"]

SECOND = 1_000_000
SHOWN_FOR = 30 * 24 * 3600
"""Seconds that a token which does nothing any more is still listed."""


def create_token(tx: Tx, token: Token, *, seconds: int, uses: int, tag: str) -> Row:
    """Store a token that lets so many machines join, and gives them a tag.

    Raises `BadRequest` for a wrong number, `NotFound` for a tag that is not there.
    """
    if not 1 <= seconds <= LONGEST:
        raise BadRequest(f"a registration token counts for 1 second to {LONGEST // 86400} days")
    if not 1 <= uses <= MOST_USES:
        raise BadRequest(f"a registration token is for 1 to {MOST_USES} Workers, not for {uses}")
    token_rows.add_token(
        tx,
        name=token.id,
        secret_hash=secret_hash(token.secret),
        tag_id=held_tag(tx, tag),
        uses=uses,
        expires_at=tx.now + seconds * SECOND,
    )
    return token_rows.token_named(tx, token.id)


def held_tag(tx: Tx, name: str) -> int | None:
    """Return the tag with this name, which is not deleted until this commits; none for "".

    Raises `NotFound`.
    """
    if not name:
        return None
    row = tag_rows.tag_by_name(tx, name)
    if row is None or not tag_rows.hold_tag(tx, row.id):
        raise NotFound(f"there is no worker tag {name!r}; 'flamenco apply' makes tags, from a file")
    return int(row.id)


def list_tokens(tx: Tx) -> list[Row]:
    """Return the tokens that count, and those that did not long ago, the oldest first."""
    return token_rows.all_tokens(tx, tx.now - SHOWN_FOR * SECOND)


def revoke_token(tx: Tx, name: str) -> None:
    """Let a token open nothing any more; who has joined with it stays.

    Raises `NotFound`.
    """
    if token_rows.token_named(tx, name) is None:
        raise NotFound(
            f"there is no registration token {name!r:.80}; 'flamenco worker-token list' has them"
        )
    token_rows.revoke_token(tx, name)
