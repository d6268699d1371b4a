"""The process in which one script runs once; nothing of the Manager is in it.

It is started by its path, isolated, with an empty environment. It prepares V8, reads one
request from its standard input, gives up what rights it can, runs the script, prints one
line of JSON and is gone. Nothing of Python can be called from JavaScript.
"""

from __future__ import annotations

import json
import os
import re
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

try:
    import resource
except ImportError:  # Windows: there, V8's own limits and the parent's deadline must do
    resource = None  # type: ignore[assignment]

PRELUDE = ("values", "frames", "texts", "path", "author", "host")
OURS = "<flamenco>/"
STRICT = '"use strict";'
# By bare name: what a script declares with const is no property of the global object.
LOOKUP = """({
  get JOB_TYPE() { return typeof JOB_TYPE === "undefined" ? undefined : JOB_TYPE; },
  get compileJob() { return typeof compileJob === "undefined" ? undefined : compileJob; },
})"""

_HEAD = re.compile(r"(?P<file>[^\n]*?):(?P<line>\d+): ")
_CARETS = re.compile(r"\s*\^+\s*")
_FRAME = re.compile(r"^    at (?:.*\()?(?P<file>[^()\n]+):(?P<line>\d+):(?P<column>\d+)\)?$", re.M)


def main() -> None:
    """Answer one request."""
    from py_mini_racer import MiniRacer

    context = MiniRacer()
    host = prepared(context)
    request = sys.stdin.buffer.read()
    if not request:
        os._exit(0)  # started ahead, and never needed
    limits = json.loads(request)["limits"]
    watch(limits)
    give_up_rights(limits)
    answer(run(context, host, request.decode()))


def prepared(context: Any) -> Any:
    """Load our half of the JavaScript world; scripts cannot reach what it returns."""
    host = context.eval("({globals: {}, modules: {}})")
    folder = Path(__file__).with_name("js")
    for name in PRELUDE:
        source = (folder / f"{name}.js").read_text(encoding="utf-8")
        context.eval(f"{source}\n//# sourceURL={OURS}{name}.js")(host)
    # The time zone is read from files; later there are none.
    context.eval("new Date(0).getHours()")
    return host


def give_up_rights(limits: dict[str, Any]) -> None:
    """Take away memory, processor time, files and processes, for good."""
    if resource is None:
        return
    wanted = {
        "RLIMIT_CPU": limits["cpu"],
        "RLIMIT_FSIZE": 0,
        "RLIMIT_CORE": 0,
        # What is open stays open: our pipes and the selector of mini-racer's loop.
        "RLIMIT_NOFILE": 0,
        "RLIMIT_NPROC": 0,
    }
    if used := memory_in_use():
        wanted["RLIMIT_DATA"] = used + limits["process"]
    for name, value in wanted.items():
        kind = getattr(resource, name, None)
        if kind is not None:
            lower_limit(kind, value)


def memory_in_use() -> int:
    """Return what RLIMIT_DATA counts, in bytes; V8 alone reserves half a gigabyte.

    0 where it cannot be told, which is everywhere but on Linux.
    """
    statm = Path("/proc/self/statm")
    return int(statm.read_text().split()[5]) * resource.getpagesize() if statm.exists() else 0


def lower_limit(kind: int, value: int) -> None:
    """Set a limit for good, unless a lower one is in force already."""
    _, hard = resource.getrlimit(kind)
    most = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (most, most))


def watch(limits: dict[str, Any]) -> None:
    """Start to watch time and memory from a thread of its own; it ends the process.

    V8's time limit does not reach promises that go on after a call has returned, and its
    memory limit counts no typed arrays. macOS does not enforce RLIMIT_DATA.
    """
    end = time.monotonic() + limits["seconds"] + 0.2
    start = memory_peak()

    def look() -> None:
        pause = threading.Event()
        while not pause.wait(0.05):
            if time.monotonic() > end:
                answer(failure("time"))
            # Growth, not the figure itself: Linux starts a child with its parent's mark.
            if memory_peak() - start > limits["process"]:
                answer(failure("memory"))

    threading.Thread(target=look, daemon=True).start()


def memory_peak() -> int:
    """Return the most memory that the process has had, in bytes; 0 if it cannot be told."""
    if resource is None:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss) * unit


def answer(text: str) -> None:
    """Print the answer and be gone: V8's own way out may hang."""
    # The line break in front separates it from what V8 may have printed.
    data = f"\n{text}\n".encode()
    while data:
        data = data[os.write(1, data) :]
    os._exit(0)


def run(context: Any, host: Any, request_text: str) -> str:
    """Run the script of a request; return the answer as JSON."""
    request = json.loads(request_text)
    context.set_hard_memory_limit(request["limits"]["memory"])
    # From here on the script's code runs in every call: each has what is left of the time.
    remaining = time_left(request["limits"]["seconds"])
    host["begin"](request_text, timeout_sec=next(remaining))
    result = "null"
    try:
        result = evaluated(context, host, request, remaining)
        said = host["said"](timeout_sec=max(next(remaining), 0.1))
    # The border to other people's code: whatever V8 says is told to the parent.
    except Exception as error:
        return failed(error, context, host, request)
    return f'{{"ok":{result},"said":{said}}}'


def evaluated(context: Any, host: Any, request: dict[str, Any], remaining: Iterator[float]) -> str:
    """Run the script, then describe or compile."""
    name = host["shownName"](request["file"])
    source = f"{STRICT}{request['source']}\n//# sourceURL={name}"
    context.eval(source, timeout_sec=next(remaining))
    script = context.eval(LOOKUP)
    if request["wants"] == "describe":
        return as_text(host["describe"](script, timeout_sec=next(remaining)))
    host["compile"](script, timeout_sec=next(remaining))
    return as_text(host["finish"](timeout_sec=next(remaining)))


def as_text(value: Any) -> str:
    """Accept a text only; the length was checked in JavaScript."""
    if not isinstance(value, str):
        raise TypeError("the script's answer is no text")
    return value


def time_left(seconds: float) -> Iterator[float]:
    """Yield what is left of the time; never 0, which means for ever."""
    end = time.monotonic() + seconds
    while True:
        yield max(end - time.monotonic(), 0.001)


def failed(error: Exception, context: Any, host: Any, request: dict[str, Any]) -> str:
    """Tell what went wrong, with all that the script had said until then."""
    kind = type(error).__name__
    if kind == "JSTimeoutException":
        return failure("time")
    if kind == "JSOOMException" or context.was_hard_memory_limit_reached():
        return failure("memory")
    said, names = "[]", {"<anonymous>": request["file"]} if kind == "JSParseException" else {}
    try:
        said = as_text(host["said"](timeout_sec=0.5))
        # V8 does not know the names of files that it cannot parse.
        names["undefined"] = as_text(host["compiling"](timeout_sec=0.5)) or OURS
        names[as_text(host["shownName"](request["file"]))] = request["file"]
    # The context may be beyond use; then there is nothing more to tell.
    except Exception:
        names.setdefault("undefined", OURS)
    place = located(str(error), request["file"], names)
    return failure("script", within(place, request), said)


def failure(kind: str, place: dict[str, Any] | None = None, said: str = "[]") -> str:
    """Write a failure as JSON."""
    facts = {"kind": kind, "message": "", "file": "", "line": 0, "column": 0, **(place or {})}
    return f'{{"error":{json.dumps(facts)},"said":{said}}}'


def located(text: str, script: str, names: dict[str, str]) -> dict[str, Any]:
    """Split V8's text of an error into message, file, line and column.

    The text is ``FILE:LINE: MESSAGE``, the source line, a line of carets, a blank line
    and the stack. Errors of our own functions are placed where the script called them.
    """
    head = _HEAD.match(text)
    if head is None:
        return {"message": text.strip()[:2000], "file": script}
    lines = text[head.end() :].split("\n")
    carets = next((at for at, line in enumerate(lines) if _CARETS.fullmatch(line)), len(lines))
    found = {"message": "\n".join(lines[: max(carets - 1, 1)]).strip()[:2000], "file": script}
    column = lines[carets].find("^") + 1 if carets < len(lines) else 0
    places = [(head["file"], int(head["line"]), column)]
    places += [(f["file"], int(f["line"]), int(f["column"])) for f in _FRAME.finditer(text)]
    for place, line, column in places:
        file = names.get(place, place)
        if not file.startswith((OURS, "<anonymous>")):
            return {**found, "file": file, "line": line, "column": strict_column(line, column)}
    return found


def within(place: dict[str, Any], request: dict[str, Any]) -> dict[str, Any]:
    """Put what V8 finds behind the end, in the line that we add, at the end itself."""
    lines = request["source"].rstrip("\n").split("\n")
    if place["file"] != request["file"] or place.get("line", 0) <= len(lines):
        return place
    return {**place, "line": len(lines), "column": len(lines[-1]) + 1}


def strict_column(line: int, column: int) -> int:
    """Undo what our directive in front of the first line does to its columns."""
    return max(column - len(STRICT), 1) if line == 1 and column else column


if __name__ == "__main__":
    # The parent says where mini-racer is: without `site`, Python starts faster and runs no
    # start-up code of other packages.
    sys.path.append(sys.argv[1])
    main()
