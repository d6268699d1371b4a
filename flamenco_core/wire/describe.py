"""A job type as clients see it, with the etag by which they know that theirs is old."""

from __future__ import annotations

import hashlib
import json
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import attrs

from flamenco_core.wire.converter import unstructure
from flamenco_core.wire.job_types import AvailableJobSetting, AvailableJobType, EvalInfo

if TYPE_CHECKING:
    # For the annotations only: the contract of the wire stands below the offers.
    from flamenco_core.offers.job_type import JobTypeLike, Setting

__all__ = ["available_job_type", "etag_of"]

# What Go's encoder escapes beyond the rules of JSON; the etag is over its bytes.
_GO_ESCAPES = str.maketrans(
    {
        "<": "\\u003c",
        ">": "\\u003e",
        "&": "\\u0026",
        "\u2028": "\\u2028",
        "\u2029": "\\u2029",
    }
)


def available_job_type(job_type: JobTypeLike) -> AvailableJobType:
    """Describe a job type for clients, whatever it is written in."""
    described = AvailableJobType(
        name=job_type.name,
        label=job_type.label,
        description=job_type.description or None,
        settings=[_available(setting) for setting in job_type.settings],
        etag="",
    )
    return attrs.evolve(described, etag=etag_of(described))


def etag_of(described: AvailableJobType) -> str:
    """Return the etag of a description: SHA-1, lower-case hex.

    It covers all but the etag itself, and is byte for byte what Flamenco's own Manager
    makes of the same description.
    """
    plain = unstructure(attrs.evolve(described, etag=""))
    return hashlib.sha1(_go_json(plain).encode(), usedforsecurity=False).hexdigest()


def _available(setting: Setting) -> AvailableJobSetting:
    return AvailableJobSetting(
        key=setting.key,
        type=setting.type,
        subtype=setting.subtype,
        choices=None if setting.choices is None else list(setting.choices),
        propargs=None if setting.propargs is None else dict(setting.propargs),
        description=setting.description,
        label=setting.label,
        default=setting.default,
        eval=setting.eval,
        evalInfo=_eval_info(setting),
        visible=setting.visible,
        required=setting.required,
        editable=setting.editable,
    )


def _eval_info(setting: Setting) -> EvalInfo | None:
    if setting.eval_info is None:
        return None
    return EvalInfo(
        showLinkButton=bool(setting.eval_info.get("showLinkButton", False)),
        description=setting.eval_info.get("description", ""),
    )


def _go_json(value: Any) -> str:
    """Write compact JSON as Go does: sorted keys, its escapes, its numbers."""
    if isinstance(value, dict):
        items = sorted((str(key), item) for key, item in value.items())
        return "{" + ",".join(f"{_go_json(key)}:{_go_json(item)}" for key, item in items) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_go_json, value)) + "]"
    if isinstance(value, str):
        return _go_text(value)
    if isinstance(value, float):
        return _go_number(value)
    return json.dumps(value)


def _go_text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).translate(_GO_ESCAPES)


def _go_number(number: float) -> str:
    """Write digits in full from a millionth to 10^21, as Go does; else an exponent."""
    if number == 0 or not math.isfinite(number):
        return "0"
    if 1e-6 <= abs(number) < 1e21:
        return f"{Decimal(repr(number)).normalize():f}"
    mantissa, _, exponent = repr(number).partition("e")
    return f"{mantissa}e{exponent[0]}{exponent[1:].lstrip('0')}"
