"""Size, names and words of every file."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MAX_LINES = 400
SENTENCE = 88
# Absolute paths of the machine on which something was written, and of nobody else's.
MACHINE_PATHS = re.compile(r"/(?:work|root)/(?!user)|/home/\w+/|[Cc]:\\+Users\\+(?!me\b)\w+")
TEXT_FILES = {".py", ".md", ".toml", ".js", ".css", ".html", ".yaml", ".yml", ".txt", ".sh", ""}


def is_public(name: str) -> bool:
    return not name.startswith("_")


def public_names(tree: ast.Module) -> set[str]:
    defined = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    return {node.name for node in tree.body if isinstance(node, defined) and is_public(node.name)}


def declared(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == "__all__" for target in targets):
            return list(ast.literal_eval(node.value))  # type: ignore[union-attr]
    return None


def offers_no_names(source: Any) -> bool:
    """Hooks and their implementations, programs and migrations are not imported by name."""
    hooks = "@hookimpl" in source.text or "@hookspec" in source.text
    return hooks or source.is_program or "/migrations/" in source.name


def test_no_file_is_longer_than_400_lines(sources: list[Any]) -> None:
    long = {s.name: len(s.lines) for s in sources if len(s.lines) > MAX_LINES}
    assert long == {}


def test_every_public_module_says_what_is_public(product: list[Any]) -> None:
    missing = [
        source.name
        for source in product
        if is_public(source.path.stem)
        and public_names(source.tree)
        and declared(source.tree) is None
        and not offers_no_names(source)
    ]
    assert missing == []


def test_what_is_declared_public_is_there_and_sorted(product: list[Any]) -> None:
    wrong = {}
    for source in product:
        names = declared(source.tree)
        if names is None:
            continue
        known = {node.id for node in ast.walk(source.tree) if isinstance(node, ast.Name)}
        known |= {alias.asname or alias.name for alias in imported(source.tree)}
        known |= public_names(source.tree)
        if unknown := [name for name in names if name not in known]:
            wrong[source.name] = unknown
        if len(set(names)) != len(names):
            wrong[source.name] = "twice"
    assert wrong == {}


def imported(tree: ast.Module) -> Iterator[ast.alias]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from node.names


def documented(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, str | None]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{prefix}{node.name}"
            if is_public(node.name):
                yield name, ast.get_docstring(node)
                if isinstance(node, ast.ClassDef):
                    yield from documented(node, f"{name}.")


def test_modules_have_docstrings(product: list[Any]) -> None:
    assert [s.name for s in product if s.text.strip() and not ast.get_docstring(s.tree)] == []


def test_docstrings_start_with_one_sentence_that_fits_a_line(product: list[Any]) -> None:
    wrong = {}
    for source in product:
        for name, text in documented(source.tree):
            first = (text or "").partition("\n")[0]
            if text and (len(first) > SENTENCE or first[-1:] not in ".?!:"):
                wrong[f"{source.name}:{name}"] = first
    assert wrong == {}


def test_every_except_exception_says_why(product: list[Any]) -> None:
    silent = []
    for source in product:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ExceptHandler) and is_broad(node):
                here = node.lineno - 1
                beside = [
                    source.lines[here],
                    source.lines[here - 1],
                    *source.lines[here + 1 : here + 2],
                ]
                if not any("#" in line for line in beside):
                    silent.append(f"{source.name}:{node.lineno}")
    assert silent == []


def is_broad(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    if isinstance(last, ast.Raise) and last.exc is None:
        return False  # cleans up and lets the error go on
    names = ast.walk(handler.type) if handler.type else ()
    broad = {"Exception", "BaseException"}
    return handler.type is None or any(isinstance(n, ast.Name) and n.id in broad for n in names)


def tracked(root: Path) -> list[Path]:
    """Return the repository's own files; those not yet committed as well."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        return [root / name for name in listed.stdout.splitlines() if (root / name).is_file()]
    skip = {".venv", ".git", "node_modules", "__pycache__"}
    return [p for p in root.rglob("*") if p.is_file() and not skip & set(p.relative_to(root).parts)]


def test_no_file_names_a_path_of_the_machine_it_was_written_on(root: Path) -> None:
    found = []
    for path in tracked(root):
        if path.suffix in TEXT_FILES and path.name != Path(__file__).name:
            text = path.read_text(encoding="utf-8", errors="replace")
            found += [
                f"{path.relative_to(root)}: {match[0]}" for match in MACHINE_PATHS.finditer(text)
            ]
    assert found == []


def test_no_file_names_a_package_index(root: Path) -> None:
    hosts = re.compile(
        r"--(?:extra-)?index-url\s+\S+://|files\.python" + r"hosted\.org", re.IGNORECASE
    )
    names = [root / "requirements.lock", *root.glob("**/pyproject.toml"), root / "Makefile"]
    assert [p.name for p in names if p.exists() and hosts.search(p.read_text())] == []


def test_test_folders_are_no_packages(root: Path) -> None:
    folders = [root / "tests", *root.glob("plugins/*/tests")]
    assert [p for folder in folders for p in folder.rglob("__init__.py")] == []
