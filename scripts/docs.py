"""Write the pages of docs/reference that come from the code; with --check, compare them.

Hooks, settings and errors each have one source: `hookspecs.py`, the settings classes, and
`errors.py`. A page that somebody forgot to write anew fails `make check`.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import re
import sys
from pathlib import Path
from typing import Any

import attrs

from flamenco_core import errors, hookspecs
from flamenco_core.config.values import acts_of, help_of, is_section, options_of
from flamenco_core.hook_rules import hook_names
from flamenco_core.manager.settings import ManagerSettings
from flamenco_core.worker.settings import WorkerSettings

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
NOTE = "<!-- Made by `make docs` from {source}; change it there. -->"

CONTRACTS = {
    "register": "Called once per plugin, at the start. Return an iterable of things with a"
    " unique `name`. Never async. If it raises, the plugin is off and none of its offers count;"
    " the start goes on. Two plugins that offer one name stop the start.",
    "find": "Called when needed. The first answer that is not `None` wins; the plugin that was"
    " registered last is asked first, built-ins last. May be async. What it raises goes to the"
    " caller.",
    "choose": "Called often. As `find`, but pure: no files, no network, no waiting. Never async."
    " If it raises, that is logged and the next plugin is asked; in the end Flamenco decides.",
    "check": "Called before a step. Return an iterable of `Problem`s: those of all plugins count,"
    " and none at all means go ahead. May be async. If it raises, that is a problem by itself.",
    "wrap": "Called around work. Return an async context manager, or `None`; the plugin that was"
    " registered last is outermost. If it raises, on the way in or out, the task fails and the"
    " plugin is named. It cannot hide an error of the work.",
    "on": "Called after the change is committed. What it returns is ignored. May be async. If it"
    " raises, that is logged and counted, and all others still hear.",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say what is out of date")
    only_check = parser.parse_args().check
    stale = []
    for path, text in pages().items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path.relative_to(ROOT).as_posix())
        if not only_check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for name in stale:
        print(("out of date: " if only_check else "wrote ") + name)
    if only_check and stale:
        print("Run 'make docs'.")
    return 1 if only_check and stale else 0


def pages() -> dict[Path, str]:
    found = {REFERENCE / "hooks" / f"{hook}.md": hook_page(hook) for hook in hook_names()}
    found[REFERENCE / "hooks" / "README.md"] = hooks_index()
    found[REFERENCE / "settings.md"] = settings_page()
    found[REFERENCE / "errors.md"] = errors_page()
    return found


# ------------------------------------------------------------------- hooks


def hook_page(hook: str) -> str:
    doc = inspect.getdoc(getattr(hookspecs, hook)) or ""
    verb = hook.partition("_")[0]
    example = (REFERENCE / "hooks" / "examples" / f"{hook}.py").read_text(encoding="utf-8")
    return "\n".join(
        [
            f"# {hook}",
            NOTE.format(source="flamenco_core/hookspecs.py and examples/"),
            "",
            f"```python\n{signature(hook)}\n```",
            "",
            markdown(doc),
            "",
            f"**Side**: {side_of(hook)}.",
            "",
            f"**The verb `{verb}_`**: {CONTRACTS[verb]}",
            "",
            "An implementation names only the parameters that it uses.",
            "",
            "## Example",
            "",
            f"```python\n{example.strip()}\n```",
            "",
        ]
    )


def signature(hook: str) -> str:
    tree = ast.parse(inspect.getsource(getattr(hookspecs, hook)))
    (function,) = (node for node in tree.body if isinstance(node, ast.FunctionDef))
    returns = ast.unparse(function.returns) if function.returns else "None"
    line = f"def {hook}({ast.unparse(function.args)}) -> {returns}"
    if len(line) <= 90:
        return line
    arguments = ",\n".join(f"    {ast.unparse(arg)}" for arg in function.args.args)
    return f"def {hook}(\n{arguments},\n) -> {returns}"


def side_of(hook: str) -> str:
    heading = ""
    for line in inspect.getsource(hookspecs).splitlines():
        if match := re.match(r"# -+ (\w+): (\w+)$", line):
            heading = match[1]
        if line.startswith(f"def {hook}("):
            break
    return {"both": "Manager and Worker", "manager": "Manager", "worker": "Worker"}[heading]


def markdown(doc: str) -> str:
    """Turn the double backticks of docstrings into single ones."""
    return doc.replace("``", "`")


def hooks_index() -> str:
    lines = ["# Hooks", NOTE.format(source="flamenco_core/hookspecs.py"), ""]
    lines += ["In the order in which a farm calls them.", ""]
    lines += ["| Hook | Side | What it is for |", "|---|---|---|"]
    for hook in hook_names():
        doc = inspect.getdoc(getattr(hookspecs, hook)) or ""
        first = markdown(doc.partition("\n\n")[0].replace("\n", " "))
        lines.append(f"| [{hook}]({hook}.md) | {side_of(hook)} | {first} |")
    lines += ["", "The verb is the contract:", ""]
    lines += [f"- **`{verb}_`** {text}" for verb, text in CONTRACTS.items()]
    return "\n".join([*lines, ""])


# ------------------------------------------------------------------- settings


def settings_page() -> str:
    lines = ["# Settings", NOTE.format(source="the settings classes"), "", *SETTINGS_INTRO]
    for title, kind in (
        ("Manager: `flamenco-manager.yaml`", ManagerSettings),
        ("Worker: `flamenco-worker.yaml`", WorkerSettings),
    ):
        lines += ["", f"## {title}", ""]
        lines += ["| Key | Default | A change counts | Meaning |", "|---|---|---|---|"]
        lines += rows(kind)
    return "\n".join([*lines, ""])


SETTINGS_INTRO = """\
An argument of the command line wins over the environment, that over the file, and that over
the default. In the environment a key is written in capitals behind `FLAMENCO_`, with `__`
between a section and its key: `FLAMENCO_LISTEN`, `FLAMENCO_SHAMAN__ENABLED`; commas separate
the items of a list. Durations are written as in Go: `90s`, `10m`, `1h30m`. Relative paths
start from the settings file's folder. A file is at most 256 kB. Plugins have sections of
their own under `plugins:`, each by the plugin's name.

A Manager reads its file again a few seconds after an edit. What is wrong in it changes
nothing: the log and `GET /api/v3/configuration/state` name file, line, key and cure.
`flamenco config show` tells for each setting who has set it, `flamenco config check FILE`
what is wrong with a file, and `flamenco config schema` is its JSON schema.
""".splitlines()


def rows(kind: Any, prefix: str = "", acts: str = "after a restart") -> list[str]:
    lines = []
    for key, field in options_of(kind).items():
        name, when = f"{prefix}{key}", acts_of(field) or acts
        if is_section(field.type):
            lines += rows(field.type, f"{name}.", when)
        else:
            when = "has no effect yet" if when == "not yet" else when
            lines.append(f"| `{name}` | {default_of(field)} | {when} | {help_of(field)} |")
    return lines


def default_of(field: attrs.Attribute[Any]) -> str:
    value: Any = field.default
    if hasattr(value, "factory"):
        value = value.factory() if not by_machine(field) else None
        if value is None:
            return "depends on the machine"
    if value is attrs.NOTHING:
        return "(required)"
    if field.name == "variables":
        return "`blender`, `blenderArgs`"
    if value in (None, "", (), [], {}):
        return "(none)"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, list | tuple):
        return "`[" + ", ".join(map(str, value)) + "]`"
    return f"`{value}`"


def by_machine(field: attrs.Attribute[Any]) -> bool:
    return field.name in ("home", "enabled")


# ------------------------------------------------------------------- errors


def errors_page() -> str:
    doc = inspect.getdoc(errors) or ""
    tree = re.search(r"^\* FlamencoError.*?\n\n", doc + "\n\n", re.DOTALL | re.MULTILINE)
    lines = ["# Errors", NOTE.format(source="flamenco_core/errors.py"), ""]
    lines += ["Every error that is raised on purpose has `FlamencoError` above it.", ""]
    lines += ["```text", tree[0].rstrip() if tree else "", "```", ""]
    lines += ["| Error | Also a | Meaning |", "|---|---|---|"]
    for name in errors.__all__:
        cls = getattr(errors, name)
        also = [b.__name__ for b in cls.__mro__ if b.__module__ == "builtins" and b is not object]
        also = [base for base in also if base not in ("Exception", "BaseException")]
        first = (inspect.getdoc(cls) or "").partition("\n")[0]
        lines.append(f"| `{name}` | {', '.join(f'`{a}`' for a in also[:1])} | {markdown(first)} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
