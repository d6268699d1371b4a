"""Let machines join: everybody, those with a token, or those that a person approves."""

from __future__ import annotations

import logging

import attrs

from flamenco_core.clock import rfc3339
from flamenco_core.domain.registration import Admission
from flamenco_core.errors import Forbidden, TooMany
from flamenco_core.manager.registration_settings import RegistrationSettings
from flamenco_core.manager.store import admissions
from flamenco_core.manager.store import registration_tokens as token_rows
from flamenco_core.manager.store import tags as tag_rows
from flamenco_core.manager.store import workers as worker_rows
from flamenco_core.manager.store.admissions import Admitted
from flamenco_core.manager.store.query import Row
from flamenco_core.manager.store.transaction import Tx
from flamenco_core.manager.usecases import workers
from flamenco_core.tokens import NOBODY, Token, read_token, same, secret_hash

__all__ = ["Arrival", "let_in"]

log = logging.getLogger(__name__)

KIND = "reg"
AGAIN = 60
"""Seconds after which a Worker may ask again that found too many waiting."""
_HOW_TO = "an operator makes one with 'flamenco worker-token create'"


@attrs.frozen(kw_only=True)
class Arrival:
    """A machine that wants to join, what it shows for it, and its number, if it has one."""

    worker: workers.Registration
    shown: str = attrs.field(repr=False)
    machine: str = ""


@attrs.frozen(kw_only=True)
class _Pass:
    """What lets a machine in; ``tag`` is for the worker, 0 for none."""

    what: str
    tag: int = 0


def let_in(tx: Tx, arrival: Arrival, policy: RegistrationSettings) -> str:
    """Add a worker; return its UUID.

    One that has registered already from the same machine with the same secret is the same
    worker: the answer was lost. Raises `Forbidden` for what does not open the door, and
    `TooMany` when too many wait for approval.
    """
    machine, new = arrival.machine, arrival.worker
    if machine and (known := admissions.worker_of_machine(tx, machine, new.secret_hash)):
        return known
    found = _pass(tx, arrival.shown, policy)
    is_pending = found is None and policy.mode is Admission.APPROVAL
    _add(tx, arrival, found.tag if found else 0, is_pending=is_pending)
    if is_pending and admissions.pending_count(tx) > policy.most_pending:
        raise TooMany(
            f"{policy.most_pending} Workers wait for approval already; approve or reject some"
            " with 'flamenco workers approve' and 'reject'",
            after=AGAIN,
        )
    how = found.what if found else "pending approval" if is_pending else "nothing"
    log.info("worker %s (%.80s) joins from %s with %s", new.uuid, new.name, new.address, how)
    return new.uuid


def _add(tx: Tx, arrival: Arrival, tag: int, *, is_pending: bool) -> None:
    workers.register_worker(tx, arrival.worker)
    if not (tag or is_pending or arrival.machine):
        return
    row = worker_rows.worker_by_uuid(tx, arrival.worker.uuid)
    admitted = Admitted(worker_id=row.id, machine=arrival.machine, is_pending=is_pending)
    admissions.save_admission(tx, admitted)
    if tag and tag_rows.hold_tag(tx, tag):
        tag_rows.replace_worker_tags(tx, row.id, [tag])


# -- what is shown ---------------------------------------------------------------------------


def _pass(tx: Tx, shown: str, policy: RegistrationSettings) -> _Pass | None:
    """Look at what was shown; None if that is nothing, which may be enough."""
    if not shown and policy.mode is not Admission.TOKEN:
        return None
    try:
        return _checked(tx, shown, policy)
    except Forbidden as error:
        if policy.mode is not Admission.OPEN:
            raise
        # The door is open: what opened it once, and does not now, does no harm.
        log.info("a Worker showed something useless to join, which it need not: %s", error)
        return None


def _checked(tx: Tx, shown: str, policy: RegistrationSettings) -> _Pass:
    if not shown:
        raise Forbidden(f"a Worker needs a registration token to join this farm; {_HOW_TO}")
    token = read_token(shown)
    if token is not None and token.kind == KIND:
        return _by_token(tx, token)
    # Both are hashed: what is compared has one length, and tells nothing of the secret.
    fits = same(secret_hash(shown), secret_hash(policy.secret))
    if not (policy.secret and fits):
        raise Forbidden(
            "this is neither a registration token nor the secret of this farm;"
            f" is it copied whole? If so, {_HOW_TO}"
        )
    return _Pass(what="the shared secret")


def _by_token(tx: Tx, token: Token) -> _Pass:
    row = token_rows.token_named(tx, token.id)
    # Compared for an unknown one as well: the time must not tell which there are.
    fits = same(secret_hash(token.secret), row.secret_hash if row else NOBODY)
    if row is None or not fits:
        raise Forbidden(f"there is no such registration token; {_HOW_TO}")
    if not token_rows.use_token(tx, token.id):
        raise Forbidden(f"registration token {token.id} {_why_not(tx, row)}; {_HOW_TO}")
    return _Pass(what=f"registration token {token.id}", tag=row.tag_id or 0)


def _why_not(tx: Tx, row: Row) -> str:
    if row.revoked_at is not None:
        return "was revoked"
    if row.expires_at <= tx.now:
        return f"is too old, it counted until {rfc3339(row.expires_at)}"
    return f"is used up, it was for {row.uses} Workers"
