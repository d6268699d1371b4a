"""What the Manager takes in of a request's body: the settings, as those who read want them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs

from flamenco_core.errors import TooLarge
from flamenco_core.manager.limits import Limits
from flamenco_core.wire.fit import FREE_TEXT, JOB, STRICT, Fitness

__all__ = ["BODY", "BodyKind", "Intake", "Largest"]

BodyKind = Literal["body", "job", "image"]
BODY = "body"
"""Where a route says in its ``opt`` of which kind its body is, if it is not a common one."""


@attrs.frozen(kw_only=True)
class Largest:
    """How many bytes a kind of body may have, in words too."""

    bytes: int
    words: str

    def refuse(self, length: int) -> None:
        """Raise `TooLarge` for a body that is longer; *length* is what is known of it."""
        if length > self.bytes:
            raise TooLarge(f"the body is larger than {self.words}")


@attrs.frozen(kw_only=True)
class Intake:
    """What is taken; made anew when the settings change."""

    strict: Fitness
    """Of most bodies."""
    job: Fitness
    free_text: Fitness
    largest: Mapping[BodyKind, Largest]

    @classmethod
    def of(cls, limits: Limits) -> Intake:
        """Return what the settings say."""
        counts: dict[str, Any] = {
            "deepest": limits.json_depth,
            "most_keys": limits.json_keys,
            "most_values": limits.json_values,
        }
        text = limits.json_text_kilobytes * 2**10
        return cls(
            strict=attrs.evolve(STRICT, longest_text=text, **counts),
            job=attrs.evolve(JOB, **counts),
            free_text=attrs.evolve(FREE_TEXT, **counts),
            largest={
                "body": _kilobytes(limits.body_kilobytes),
                "job": _megabytes(limits.job_body_megabytes, "job_body_megabytes"),
                "image": _megabytes(limits.image_megabytes, "image_megabytes"),
            },
        )


def _kilobytes(size: int) -> Largest:
    return Largest(bytes=size * 2**10, words=f"{size} kilobytes (limits: body_kilobytes)")


def _megabytes(size: int, setting: str) -> Largest:
    return Largest(bytes=size * 2**20, words=f"{size} megabytes (limits: {setting})")
