"""The section ``cleanup`` of the settings: which jobs go by themselves, and their archive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs

from flamenco_core.config import Duration, Scalar, Section, Wrong, option
from flamenco_core.config.age import age_text, parse_age
from flamenco_core.config.nodes import Items, plain
from flamenco_core.domain.retention import FINISHED, Rule

__all__ = ["CleanupSettings", "read_rules", "rules_as_written"]

_KEYS = ("job_type", "tag", "user", "status", "after")
_AFTER = "must be an age such as 30d, 2w or 12h, or never"


def read_rules(node: Any) -> tuple[Rule, ...]:
    """Read a list of rules: ``{job_type: ..., tag: ..., status: [...], after: 30d}``."""
    if not isinstance(node, Items | list | tuple):
        raise Wrong("must be a list of rules, such as [{after: 30d}]", node)
    return tuple(item if isinstance(item, Rule) else _rule(item) for item in node)


def _rule(node: Any) -> Rule:
    if not isinstance(node, Section):
        raise Wrong("must be a rule, such as {job_type: my-type, after: 30d}", node)
    for key in node:
        if key not in _KEYS:
            raise Wrong(f"has an unknown key {key!r}; a rule has {', '.join(_KEYS)}", node)
    if "after" not in node:
        raise Wrong("has no 'after'; say after what time, or never", node)
    return Rule(
        job_type=_text(node, "job_type"),
        tag=_text(node, "tag"),
        user=_text(node, "user"),
        statuses=_statuses(node.get("status")),
        seconds=_seconds(node["after"]),
    )


def _text(node: Section, key: str) -> str:
    found = node.get(key, Scalar("", ""))
    if not isinstance(found, Scalar):
        raise Wrong(f"{key} must be a text", found)
    return found.text.strip()


def _statuses(node: Any) -> tuple[str, ...]:
    if node is None:
        return ()
    words = plain(node)
    words = words if isinstance(words, list) else [words]
    wrong = [word for word in words if word not in FINISHED]
    if wrong:
        raise Wrong(f"status must be among {', '.join(sorted(FINISHED))}", node)
    return tuple(words)


def _seconds(node: Any) -> int | None:
    text = node.text.strip() if isinstance(node, Scalar) else ""
    if text.lower() == "never":
        return None
    try:
        return parse_age(text)
    except ValueError:
        raise Wrong(_AFTER, node) from None


def rules_as_written(rules: tuple[Rule, ...]) -> list[dict[str, Any]]:
    """Return the rules as plain values, as they could stand in a file."""
    return [_rule_as_written(rule) for rule in rules]


def _rule_as_written(rule: Rule) -> dict[str, Any]:
    texts = {"job_type": rule.job_type, "tag": rule.tag, "user": rule.user}
    written: dict[str, Any] = {key: text for key, text in texts.items() if text}
    if rule.statuses:
        written["status"] = list(rule.statuses)
    return {**written, "after": "never" if rule.seconds is None else age_text(rule.seconds)}


@attrs.frozen(kw_only=True)
class CleanupSettings:
    """Which finished jobs are deleted by themselves, and what is kept of them."""

    enabled: bool = option(
        False, "Delete finished jobs by themselves, as `cleanup.rules` and the jobs say."
    )
    period: Duration = option(Duration.parse("1h"), "How often to look for such jobs.")
    rules: tuple[Rule, ...] = option(
        (),
        "The first that fits a job counts: `{job_type: ..., tag: ..., user: ..., status:"
        " [completed], after: 30d}`; all but `after` may be left out, and `after: never` keeps."
        " The time counts from the job's last change.",
        read=read_rules,
        write=rules_as_written,
        acts="at once",
    )
    archive_path: Path | None = option(
        None, "Folder that archives of jobs are put into.", acts="at once"
    )
    archive_before_delete: bool = option(
        False, "Archive each job before it is deleted, whoever asks for that.", acts="at once"
    )
