"""The section ``worker_registration`` of the settings: which machines may join as Workers."""

from __future__ import annotations

import attrs
from attrs import validators

from flamenco_core.config import Duration, option
from flamenco_core.domain.registration import Admission

__all__ = ["RegistrationSettings"]

SHORTEST = 16
"""Characters; it is typed on no keyboard more than once a machine."""


def _check_secret(_: object, field: object, value: str) -> None:
    if value and (len(value) < SHORTEST or not value.isprintable() or "/" in value):
        raise ValueError(
            f"must be {SHORTEST} characters at least, none of them a slash;"
            " 'openssl rand -hex 32' makes one"
        )


@attrs.frozen(kw_only=True)
class RegistrationSettings:
    """Which machines may join the farm as Workers, and how long their secrets count."""

    mode: Admission = option(
        Admission.OPEN,
        "`open` lets every machine in that reaches the Manager, `token` those with a registration"
        " token or the shared secret, `approval` lets the others wait until you approve them.",
    )
    secret: str = option(
        "",
        "A secret that all your Workers share, in place of registration tokens; empty is none.",
        validator=_check_secret,
        repr=False,
    )
    most_pending: int = option(
        500, "Workers that may wait for approval at a time.", validator=validators.ge(0)
    )
    overlap: Duration = option(
        Duration.parse("24h"),
        "How long the former secret of a Worker still counts after it has changed it; what it"
        " has sent off before must still arrive.",
        validator=validators.ge(Duration.parse("1m")),
    )
