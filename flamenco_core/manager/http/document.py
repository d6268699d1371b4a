"""The API document: OpenAPI 3.0, made from what the routes declare."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

from flamenco_core import __version__
from flamenco_core.builtin.worker_identity import WORKERS_ONLY
from flamenco_core.manager.http.endpoints import Endpoint
from flamenco_core.offers.operations import Operation, Raw, operation
from flamenco_core.wire.meta import Error
from flamenco_core.wire.schema import Id, Schema, Schemas

__all__ = ["ANYWHERE", "describe"]

ANYWHERE = frozenset({400, 403, 415, 421, 429, 500, 503, 507})
"""Errors that any operation may answer."""

JSON = "application/json"
_MEANING = {
    400: "The request itself is wrong; the message names what.",
    403: "Whoever asks may not do that.",
    404: "There is no such thing.",
    405: "There is no such method at this address.",
    406: "There is no such tag.",
    409: "The present state does not allow it, or a worker speaks for a run no longer its own.",
    411: "The body's length is not announced.",
    412: "What the client knows is out of date; the message says what changed.",
    413: "The body is too large.",
    415: "The body is of a type that cannot be used.",
    416: "There is nothing to do it to.",
    422: "There is no such change from the present status.",
    421: "The name that the Manager was asked by is not one of its own.",
    423: "The worker must go to another status first.",
    429: "Too much at once; slow down.",
    500: "An error that nobody foresaw; the Manager's log says more.",
    507: "There is no space left where the Manager keeps its data.",
    503: "Too much to do, or the database does not answer; try again later.",
}
_TAGS = {
    "meta": "What this Manager is.",
    "jobs": "Job types, jobs and tasks: submit, look at, control.",
    "worker": "How Workers and the Manager talk.",
    "worker-mgt": "Workers and their tags, for people.",
    "system": "For those who watch the Manager's process.",
}
_INFO = {
    "title": "Flamenco Manager",
    "version": __version__,
    "description": "The HTTP API of a Flamenco Manager. It is that of Flamenco 3, with additions.",
    "license": {"name": "Apache-2.0", "url": "https://www.apache.org/licenses/LICENSE-2.0"},
}
_UNKNOWN: Operation = operation("")["declared"]
_WORKER_AUTH = {
    "type": "http",
    "scheme": "basic",
    "description": "The worker's id, and the secret that it made when it registered.",
}


def describe(endpoints: Iterable[Endpoint]) -> Schema:
    """Make the document of some endpoints."""
    endpoints = list(endpoints)
    schemas, paths = Schemas(), dict[str, Schema]()
    # All answers before all bodies: a class that is both is two schemas (see `Schemas`).
    answers = [_responses(endpoint, schemas) for endpoint in endpoints]
    for endpoint, responses in zip(endpoints, answers, strict=True):
        item = _operation(endpoint, schemas) | {"responses": responses}
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = item
    return {
        "openapi": "3.0.3",
        "info": _INFO,
        "servers": [{"url": "/"}],
        "tags": [{"name": name, "description": words} for name, words in _TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(schemas.named.items())),
            "securitySchemes": {"worker_auth": _WORKER_AUTH},
        },
    }


def _operation(endpoint: Endpoint, schemas: Schemas) -> Schema:
    first, _, rest = endpoint.words.partition("\n")
    found: Schema = {"summary": first, "description": rest.strip(), "tags": [*endpoint.tags]}
    found["operationId"] = endpoint.name
    found["parameters"] = list(_parameters(endpoint, schemas))
    if endpoint.name in WORKERS_ONLY:
        found["security"] = [{"worker_auth": []}]
    if endpoint.declared and endpoint.declared.takes is not None:
        content = _content(endpoint.declared.takes, schemas.read)
        found["requestBody"] = {"required": True, "content": content}
    return {key: value for key, value in found.items() if value}


def _parameters(endpoint: Endpoint, schemas: Schemas) -> Iterator[Schema]:
    declared = endpoint.declared or _UNKNOWN
    for name in re.findall(r"\{(\w+)\}", endpoint.path):
        is_id = name.endswith("_id") and declared is not _UNKNOWN
        kind = declared.path.get(name, Id if is_id else str)
        yield {"in": "path", "required": True, **_parameter(name, kind, schemas)}
    for place, known in (("query", declared.query), ("header", declared.headers)):
        for name, kind in known.items():
            yield {"in": place, **_parameter(name, kind, schemas)}


def _parameter(name: str, kind: Any, schemas: Schemas) -> Schema:
    schema = schemas.read(kind)
    words = schema.pop("description", "")
    return {"name": name, "schema": schema, **({"description": words} if words else {})}


def _responses(endpoint: Endpoint, schemas: Schemas) -> Schema:
    declared = endpoint.declared
    if declared is None:
        return {"default": {"description": "Whatever the plugin answers; it has not said."}}
    found = {
        status: {
            "description": _meaning(status),
            **({"content": _content(kind, schemas.written)} if kind is not None else {}),
        }
        for status, kind in declared.answers.items()
    }
    error = _content(Error, schemas.written)
    for status in _refused(endpoint, declared) - found.keys():
        found[status] = {"description": _meaning(status), "content": error}
    return {str(status): found[status] for status in sorted(found)}


def _refused(endpoint: Endpoint, declared: Operation) -> set[int]:
    with_path = {404} if "{" in endpoint.path else set()
    with_body = {413} if declared.takes is not None else set()
    return {*ANYWHERE, *declared.refuses, *with_path, *with_body}


def _meaning(status: int) -> str:
    return _MEANING.get(status) or HTTPStatus(status).phrase


def _content(kind: Any, schema_of: Any) -> Schema:
    if isinstance(kind, Raw):
        return {media_type: {"schema": _raw(media_type)} for media_type in kind.media_types}
    return {JSON: {"schema": schema_of(kind)}}


def _raw(media_type: str) -> Schema:
    is_text = media_type.startswith("text/")
    return {"type": "string"} if is_text else {"type": "string", "format": "binary"}
