"""Our API document beside Flamenco's: whoever was written for theirs finds all of it here.

Additions pass: further paths, status codes, optional keys. What is missing, or could be
answered differently, does not.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from flamenco_core.manager import create_manager
from flamenco_core.manager.http.api_document import document_of

Document = dict[str, Any]
Schema = dict[str, Any]

ON_PURPOSE = {
    "deleteJobMass takes: demands 'last_updated_max'": "theirs answers 400 without it, too",
    "removeJobBlocklist: demands a body": "theirs answers 400 without one, too",
    "checkSharedStoragePath: demands a body": "theirs answers 400 without one, too",
    "checkBlenderExePath: demands a body": "theirs answers 400 without one, too",
    "saveSetupAssistantConfig: demands a body": "theirs answers 400 without one, too",
    "getConfigurationFile 200: lacks application/yaml": "their settings page reads JSON",
    **{
        f"{where}: lacks {key!r}": "theirs never answers it, it is only taken"
        for where in ("submitJob 200", "fetchJob 200", "fetchJobs 200.jobs[]")
        for key in ("type_etag", "initial_status")
    },
}
"""What differs, and why that hurts nobody."""


# -- two documents ---------------------------------------------------------------------------


def differences(ours: Document, theirs: Document) -> Iterator[str]:
    """Say what their clients would miss in ours; operations that are not built yet aside."""
    here = {o["operationId"] for item in ours["paths"].values() for o in operations_of(item)}
    for path, item in theirs["paths"].items():
        for method, operation in item.items():
            if not isinstance(operation, dict) or operation["operationId"] not in here:
                continue
            name = operation["operationId"]
            found = ours["paths"].get(path, {}).get(method)
            if found is None or found["operationId"] != name:
                yield f"{name}: is not at {method.upper()} {path}"
            else:
                yield from Comparison(ours, theirs, name, item).of(found, operation)


def operations_of(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    return (value for value in item.values() if isinstance(value, dict) and "responses" in value)


class Comparison:
    """One operation in both documents."""

    def __init__(self, ours: Document, theirs: Document, name: str, item: dict[str, Any]) -> None:
        self.ours, self.theirs, self.name, self.item = ours, theirs, name, item

    def of(self, ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[str]:
        for key in ("tags", "security"):
            if ours.get(key) != theirs.get(key):
                yield f"{self.name}: {key} is {ours.get(key)}, not {theirs.get(key)}"
        yield from self.parameters(ours, theirs)
        yield from self.body(ours.get("requestBody"), theirs.get("requestBody"))
        for status, response in theirs["responses"].items():
            yield from self.response(status, ours["responses"], response)

    def parameters(self, ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[str]:
        known = {(p["name"], p["in"]): p for p in ours.get("parameters", [])}
        wanted = [*theirs.get("parameters", []), *self.item.get("parameters", [])]
        for parameter in wanted:
            key = (parameter["name"], parameter["in"])
            if key not in known:
                yield f"{self.name}: lacks parameter {key[0]!r} in {key[1]}"
                continue
            where = f"{self.name} {key[0]}"
            yield from self.schema(known[key]["schema"], parameter["schema"], where, sent=True)
        for key in known.keys() - {(p["name"], p["in"]) for p in wanted}:
            if known[key].get("required"):
                yield f"{self.name}: demands parameter {key[0]!r} in {key[1]}"

    def body(self, ours: dict[str, Any] | None, theirs: dict[str, Any] | None) -> Iterator[str]:
        if theirs is None:
            if ours and ours.get("required"):
                yield f"{self.name}: demands a body"
            return
        if ours is None:
            yield f"{self.name}: takes no body"
            return
        if ours.get("required") and not theirs.get("required"):
            yield f"{self.name}: demands a body"
        yield from self.content(ours["content"], theirs["content"], "takes", sent=True)

    def response(self, status: str, ours: dict[str, Any], theirs: dict[str, Any]) -> Iterator[str]:
        content = theirs.get("content", {})
        if status == "default":
            # Theirs has one body for any error: so must each error of ours that has a body.
            for code in (code for code in ours if code >= "400" and code != "423"):
                yield from self.content(ours[code]["content"], content, code, sent=False)
        elif status not in ours:
            yield f"{self.name}: lacks status {status}"
        elif content:
            yield from self.content(ours[status].get("content", {}), content, status, sent=False)
        elif "content" in ours[status] and status < "400":
            yield f"{self.name}: has a body with {status}"

    def content(self, ours: Any, theirs: Any, where: str, *, sent: bool) -> Iterator[str]:
        for media_type, content in theirs.items():
            if media_type not in ours:
                yield f"{self.name} {where}: lacks {media_type}"
            else:
                ours_schema = ours[media_type]["schema"]
                place = f"{self.name} {where}"
                yield from self.schema(ours_schema, content["schema"], place, sent=sent)

    def schema(self, ours: Schema, theirs: Schema, where: str, *, sent: bool) -> Iterator[str]:
        """*sent* by clients: we must take all that they do; else: answer no more than they."""
        a, b = flat(self.ours, ours), flat(self.theirs, theirs)
        if b.get("type", a.get("type")) != a.get("type"):
            yield f"{where}: is {a.get('type', 'anything')}, not {b['type']}"
            return
        yield from values(a, b, where, sent=sent)
        yield from keys(a, b, where, sent=sent)
        for key, inner in b.get("properties", {}).items():
            if key in a.get("properties", {}):
                yield from self.schema(a["properties"][key], inner, f"{where}.{key}", sent=sent)
        for key in ("items", "additionalProperties"):
            if isinstance(b.get(key), dict):
                yield from self.schema(a.get(key) or {}, b[key], f"{where}[]", sent=sent)


def flat(document: Document, schema: Schema) -> Schema:
    """Return a schema with what it refers to."""
    if "$ref" in schema:
        return flat(document, document["components"]["schemas"][schema["$ref"].split("/")[-1]])
    whole: Schema = {"properties": {}, "required": []}
    for part in [flat(document, part) for part in schema.get("allOf", [])] + [schema]:
        whole["properties"] = whole["properties"] | part.get("properties", {})
        whole["required"] = whole["required"] + part.get("required", [])
        whole |= {key: part[key] for key in part.keys() - {"properties", "required", "allOf"}}
    if whole["properties"]:
        whole.setdefault("type", "object")
    return whole


def values(a: Schema, b: Schema, where: str, *, sent: bool) -> Iterator[str]:
    narrow, wide = (b, a) if sent else (a, b)
    if "enum" in wide and not set(narrow.get("enum", [object()])) <= set(wide["enum"]):
        yield f"{where}: has other words"
    for key, sign in (("minimum", 1), ("maximum", -1)):
        # What no 64 bits hold is no limit.
        limits = [sign * s[key] if abs(s.get(key, 2**63)) < 2**62 else None for s in (narrow, wide)]
        if limits[1] is not None and (limits[0] is None or limits[0] < limits[1]):
            yield f"{where}: has another {key}"
    if not sent and b.get("format") == "date-time" != a.get("format"):
        yield f"{where}: is no date-time"


def keys(a: Schema, b: Schema, where: str, *, sent: bool) -> Iterator[str]:
    for key in b["properties"].keys() - a["properties"].keys():
        yield f"{where}: lacks {key!r}"
    needed, given = (a, b) if sent else (b, a)
    for key in set(needed["required"]) - set(given["required"]) - set(defaults(given)):
        yield f"{where}: demands {key!r}" if sent else f"{where}: may leave out {key!r}"


def defaults(schema: Schema) -> Iterator[str]:
    return (key for key, inner in schema["properties"].items() if "default" in inner)


# -- the tests -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ours() -> Document:
    return document_of(create_manager(discover=False))


def test_nothing_of_flamencos_is_missing_or_different(ours, reference) -> None:
    found = set(differences(ours, reference.document))
    assert found - ON_PURPOSE.keys() == set()
    assert ON_PURPOSE.keys() - found == set(), "these are the same by now: take them off the list"


JOB = ("components", "schemas", "Job")
CHANGES = [
    (("paths", "/api/v3/version"), None, "lacks"),
    (("paths", "/api/v3/jobs/{job_id}", "delete"), None, "lacks"),
    (("paths", "/api/v3/jobs", "post", "responses", "412"), None, "submitJob: lacks status 412"),
    (("paths", "/api/v3/jobs", "post", "requestBody"), None, "submitJob: takes no body"),
    (("paths", "/api/v3/jobs", "post", "tags"), ["meta"], "submitJob: tags"),
    (("paths", "/api/v3/worker/sign-on", "post", "security"), None, "signOn: security"),
    (("paths", "/api/v3/jobs/{job_id}", "get", "parameters"), [], "lacks parameter 'job_id'"),
    ((*JOB, "properties", "activity"), None, "fetchJob 200: lacks 'activity'"),
    ((*JOB, "properties", "priority", "type"), "number", "fetchJob 200.priority: is number"),
    ((*JOB, "properties", "status"), {"type": "string"}, "fetchJob 200.status: has other words"),
    ((*JOB, "properties", "created", "format"), None, "fetchJob 200.created: is no date-time"),
    ((*JOB, "required"), ["id"], "fetchJob 200: may leave out 'name'"),
    (("components", "schemas", "JobStatus", "enum"), ["new"], "takes.status: has other words"),
    (("components", "schemas", "JobStatusChange", "required"), ["by"], "demands 'by'"),
    (("components", "schemas", "Error", "properties", "code"), None, "400: lacks 'code'"),
]


@pytest.mark.parametrize(("place", "value", "words"), CHANGES)
def test_the_comparison_sees_each_kind_of_difference(ours, reference, place, value, words) -> None:
    broken = copy.deepcopy(ours)
    *way, last = place
    inner = broken
    for key in way:
        inner = inner[key]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    # A missing operation is for test_operations to see: here it looks like one that comes later.
    found = set(differences(broken, reference.document)) - ON_PURPOSE.keys()
    missing = {o["operationId"] for item in ours["paths"].values() for o in operations_of(item)}
    missing -= {o["operationId"] for item in broken["paths"].values() for o in operations_of(item)}
    assert any(words in line for line in found) or (words == "lacks" and missing)


def test_additions_are_no_difference(ours, reference) -> None:
    more = copy.deepcopy(ours)
    job = more["components"]["schemas"]["Job"]
    job["properties"]["weather"] = {"type": "string"}
    more["paths"]["/api/v3/weather"] = more["paths"]["/api/v3/version"]
    more["paths"]["/api/v3/version"]["get"]["responses"]["202"] = {"description": "later"}
    assert set(differences(more, reference.document)) == ON_PURPOSE.keys()


# -- our document by itself ------------------------------------------------------------------


def test_operations_have_a_name_of_their_own_and_words(ours) -> None:
    found = [o for item in ours["paths"].values() for o in operations_of(item)]
    names = [operation["operationId"] for operation in found]
    assert len(names) == len(set(names))
    assert [o["operationId"] for o in found if not o.get("summary")] == []
    known = {tag["name"] for tag in ours["tags"]}
    assert {tag for operation in found for tag in operation["tags"]} <= known


def test_what_is_referred_to_is_there_and_all_is_used(ours) -> None:
    used = set(re.findall(r"#/components/schemas/([\w.]+)", repr(ours)))
    assert used == ours["components"]["schemas"].keys()


def test_every_schema_is_a_schema(ours) -> None:
    for schema in ours["components"]["schemas"].values():
        jsonschema.Draft4Validator.check_schema(schema)
