"""Settings files of Flamenco 2, read as if they were of Flamenco 3.

There were two formats: version 1, which a file without a version is taken for if it has
keys of that time, and version 2. They name a few settings differently and describe
variables in other words. A file is left alone until somebody changes a setting; then it is
written in today's format.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from flamenco_core.config.duration import Duration
from flamenco_core.config.nodes import Items, Scalar, Section, Wrong, plain

__all__ = ["TODAY", "steps_to_today", "upgraded"]

TODAY = 3
_RENAMED = {
    "active_task_timeout_interval": "task_timeout",
    "active_worker_timeout_interval": "worker_timeout",
    "blacklist_threshold": "blocklist_threshold",
    "ssdp_discovery": "autodiscoverable",
    "worker_cleanup_max_age": "remove_workers_after",
}
_GONE = (
    *("mode", "database_url", "database_path", "task_logs_path", "listen_https", "own_url"),
    *("flamenco", "manager_id", "manager_secret", "tlskey", "tlscert", "acme_domain_name"),
    *("download_task_sleep", "download_task_recheck_throttle", "task_update_push_max_interval"),
    *("task_update_push_max_count", "cancel_task_fetch_max_interval", "task_cleanup_max_age"),
    *("worker_cleanup_status", "watch_for_latest_image", "ssdp_device_uuid", "test_tasks"),
    *("user_authentication", "worker_registration_secret", "dynamic_pool_platforms"),
)
_PATHS = "path_replacement"
_OF_THAT_TIME = {*_RENAMED, *_GONE, _PATHS}


def upgraded(tree: Section) -> tuple[Section, tuple[str, ...]]:
    """Return the settings in today's format, and what people should know about that.

    Each value still knows its line. A file of today comes back as it is, one of tomorrow
    too: that is for its reader to refuse.
    """
    version = _version_of(tree)
    if version >= TODAY:
        return tree, ()
    kept = {key: node for key, node in tree.items() if key not in _OF_THAT_TIME}
    new = Section({**dict(_renamed(tree)), **kept}, tree.where)
    new["_meta"] = _meta(tree)
    if variables := _variables(tree):
        new["variables"] = variables
    return new, tuple(_notes(tree, version))


def steps_to_today(tree: Section) -> list[dict[str, Any]]:
    """Return the changes, to be made in this order, that write a file in today's format."""
    if _version_of(tree) >= TODAY:
        return []
    new, _ = upgraded(tree)
    old = [*(key for key in tree if key in (*_RENAMED, _PATHS)), "variables"]
    written = [_RENAMED[key] for key in tree if key in _RENAMED]
    made = {key: plain(new[key]) for key in ("_meta", *written, "variables") if key in new}
    return [dict.fromkeys(old), made]


def _version_of(tree: Section) -> int:
    meta = tree.get("_meta")
    version = plain(meta.get("version")) if isinstance(meta, Section) else None
    if version is None:
        # Flamenco 3 wants a version, but has no need of it to be understood.
        return 1 if tree.keys() & _OF_THAT_TIME else TODAY
    # What is no number at all is for the reader to refuse as well.
    is_old = isinstance(version, int) and not isinstance(version, bool) and 0 <= version < TODAY
    return version if is_old else TODAY


def _meta(tree: Section) -> Section:
    where = getattr(tree.get("_meta"), "where", tree.where)
    return Section({"version": Scalar(str(TODAY), TODAY, where)}, where)


def _notes(tree: Section, version: int) -> Iterator[str]:
    yield (
        f"{tree['_meta'].where if '_meta' in tree else tree.where}: these are settings of"
        f" Flamenco 2 (version {version}); they are read as they were meant, and written in"
        " today's format when one is changed"
    )
    if gone := [key for key in _GONE if key in tree]:
        yield f"{tree.where}: not used any more: {', '.join(gone)}"


def _renamed(tree: Section) -> Iterator[tuple[str, Any]]:
    for old, new in _RENAMED.items():
        if old in tree:
            yield new, _days(tree[old]) if new == "remove_workers_after" else tree[old]


def _days(node: Any) -> Any:
    """Return a duration as whole days; what is none is left for its reader to refuse."""
    try:
        seconds = Duration.parse(node.text).seconds
    except (AttributeError, ValueError):
        return node
    days = math.ceil(max(0.0, seconds) / 86_400)
    return Scalar(str(days), days, node.where)


def _variables(tree: Section) -> Section:
    """Return all variables, those that were a section of their own as two-way ones."""
    found = Section(where=tree.where)
    for key, twoway in (("variables", False), (_PATHS, True)):
        section = tree.get(key)
        if section is None or (isinstance(section, Scalar) and section.value is None):
            continue
        if not isinstance(section, Section):
            raise Wrong("must be a section with one name per variable", section, (key,))
        found.update({name: _variable(node, twoway) for name, node in section.items()})
    return found


def _variable(node: Any, twoway: bool) -> Any:
    if not isinstance(node, Section):
        return node
    if "values" not in node and "direction" not in node:
        return Section(_of_platforms(node, twoway), node.where)
    kept: Mapping[str, Any] = {key: item for key, item in node.items() if key != "direction"}
    direction = node.get("direction")
    if direction is None:
        return Section(kept, node.where)
    if getattr(direction, "text", "") not in ("oneway", "twoway"):
        raise Wrong("must be oneway or twoway", direction, ("variables",))
    return Section({**_two_way(direction.text == "twoway", node), **kept}, node.where)


def _of_platforms(node: Section, twoway: bool) -> dict[str, Any]:
    values = [
        Section({"platform": Scalar(platform, platform, node.where), "value": value}, node.where)
        for platform, value in node.items()
        if not (isinstance(value, Scalar) and value.value in (None, ""))
    ]
    return {**_two_way(twoway, node), "values": Items(values, node.where)}


def _two_way(twoway: bool, node: Section) -> dict[str, Any]:
    return {"is_twoway": Scalar("true", True, node.where)} if twoway else {}
