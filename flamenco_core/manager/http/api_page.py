"""The API document as a page: plain HTML, readable without any script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from typing import Any

from flamenco_core.wire.schema import Schema

__all__ = ["render"]

OTHERS = "others"
"""Where operations without a tag stand: those of plugins that say nothing of them."""


def render(document: Schema) -> str:
    """Write the page."""
    title = escape(f"{document['info']['title']} {document['info']['version']}")
    base = document["servers"][0]["url"].rstrip("/")
    return "".join(
        [
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title>",
            f'<link rel="stylesheet" href="{escape(base)}/api/v3/swagger-ui/style.css"></head>',
            f"<body><h1>{title}</h1><p>{_prose(document['info']['description'])}",
            f' <a href="{escape(base)}/api/v3/openapi3.json">openapi3.json</a></p>',
            *_operations(document),
            "<h2>Bodies</h2>",
            *(_body(name, schema) for name, schema in document["components"]["schemas"].items()),
            "</body></html>",
        ]
    )


def _operations(document: Schema) -> Iterator[str]:
    by_tag: dict[str, list[str]] = {tag["name"]: [] for tag in document["tags"]}
    for path, item in document["paths"].items():
        for method, operation in item.items():
            tag = next(iter(operation.get("tags", [])), OTHERS)
            by_tag.setdefault(tag, []).append(_operation(method, path, operation))
    words = {tag["name"]: tag["description"] for tag in document["tags"]}
    for tag, shown in by_tag.items():
        if shown:
            yield f"<h2>{escape(tag)}</h2><p>{escape(words.get(tag, ''))}</p>"
            yield from shown


def _operation(method: str, path: str, operation: Schema) -> str:
    name = operation.get("operationId", "")
    lock = " <small>workers only</small>" if operation.get("security") else ""
    parts = [
        f'<details id="{escape(name)}"><summary><b class="{escape(method)}">{method.upper()}</b>',
        f"<code>{escape(path)}</code> {_prose(operation.get('summary', ''))}{lock}</summary>",
        f"<p>{_prose(operation.get('description', ''))} <small>{escape(name)}</small></p>",
        _table("Parameters", map(_parameter, operation.get("parameters", []))),
        _table("Body", _contents("required", operation.get("requestBody", {}))),
        _table("Answers", _answers(operation["responses"])),
    ]
    return "".join([*parts, "</details>"])


def _parameter(parameter: Schema) -> tuple[str, ...]:
    where = f"{parameter['in']}{', required' if parameter.get('required') else ''}"
    words = _prose(parameter.get("description", ""))
    return f"<code>{escape(parameter['name'])}</code>", _kind(parameter["schema"]), where, words


def _answers(responses: Schema) -> Iterator[tuple[str, ...]]:
    for status, response in responses.items():
        words = _prose(response["description"])
        yield from _contents(status, response, words) or [(escape(status), "", "", words)]


def _contents(label: str, body: Schema, words: str = "") -> list[tuple[str, ...]]:
    return [
        (escape(label), _kind(content["schema"]), escape(media_type), words)
        for media_type, content in body.get("content", {}).items()
    ]


def _body(name: str, schema: Schema) -> str:
    required = schema.get("required", [])
    rows = (
        (
            f"<code>{escape(key)}</code>",
            _kind(inner),
            "required" if key in required else "",
            _prose(inner.get("description", "")),
        )
        for key, inner in schema.get("properties", {}).items()
    )
    return (
        f'<details id="body-{escape(name)}"><summary><code>{escape(name)}</code></summary>'
        f"<p>{_prose(schema.get('description', ''))} {_words(schema)}</p>"
        f"{_table('', rows)}</details>"
    )


def _kind(schema: Schema) -> str:
    """Say a schema in words, with links to those that have a name."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#body-{name}">{name}</a>'
    if inner := schema.get("allOf") or schema.get("anyOf"):
        return " or ".join(map(_kind, inner))
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    if isinstance(more := schema.get("additionalProperties"), dict):
        return f"object of {_kind(more)}"
    limits = [f"{key} {schema[key]}" for key in ("minimum", "maximum") if _is_told(schema, key)]
    kind = " ".join(word for word in (schema.get("type", "anything"), schema.get("format")) if word)
    return escape(", ".join([kind, *limits])) + _words(schema)


def _is_told(schema: Schema, key: str) -> bool:
    # The limits of 64 bits go without saying.
    return key in schema and abs(schema[key]) < 2**53


def _words(schema: Schema) -> str:
    words = " ".join(f"<code>{escape(str(word))}</code>" for word in schema.get("enum", []))
    return f": {words}" if words else ""


def _table(title: str, rows: Any) -> str:
    lines = ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows]
    head = f"<h3>{title}</h3>" if title and lines else ""
    return f"{head}<table>{''.join(lines)}</table>" if lines else ""


def _prose(text: str) -> str:
    """Escape a docstring; what it marks as code is shown as such."""
    return re.sub(r"``?([^`]+)``?", r"<code>\1</code>", escape(text))
