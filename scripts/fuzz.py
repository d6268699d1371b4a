"""Ask a Manager everything that nobody foresaw, with Schemathesis; see its API document.

A Manager of this checkout runs on a free port of this machine with a database of its own;
all requests are made from what it says of itself at /api/v3/openapi3.json. What is found
ends the run with 1. The same seed asks the same again.
"""

import argparse
import json
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import httpx

PYTHON = sys.executable
Process: TypeAlias = "subprocess.Popen[str]"
FLAMENCO = (PYTHON, "-m", "flamenco_core.cli")
START = 60.0
"""Seconds in which the Manager has to answer."""
SECRET = "5" * 64
MANY = 30
"""Jobs, workers and tags; some are deleted on the way."""
PHASES = ("examples,coverage", "fuzzing,stateful")
GENERATED = re.compile(r"(\d+) generated")
COVERAGE = 1000
"""Cases from which on those are among them that are the same each time, about so many."""

# What a request that fits its schema may still be told: the state of things is against it.
STATE = ["2xx", "403", "404", "406", "409", "411", "412", "415", "416", "422", "423", "429"]
# And where a schema cannot say all that makes a request wrong.
NOT_ALL_SAID = {
    "submitJob": "there are only so many job types, each with settings of its own",
    "submitJobCheck": "the same",
    "addToJobBlocklist": "a job has only so many task types",
    "setWorkerTags": "a tag has to be there",
    "createWorkerTag": "a name or an id may be taken",
    "updateWorkerTag": "a name may be taken",
    "taskUpdate": "a worker may not set every status",
    "saveSetupAssistantConfig": "a folder has to be there",
    "updateConfigurationFile": "settings have rules of their own; see their JSON schema",
    "rehearseConfiguration": "the same",
    "archiveJob": "a folder has to be set",
    "deleteJobs": "a folder has to be set, and there may be 1,000 at most",
    "pruneJobs": "a folder or rules have to be set",
    "setJobRetention": "to keep a job and to let it go exclude each other",
    "setWorkerSleepSchedule": "a time of day is more than a text",
    "setTagSleepSchedule": "the same",
}
# A stream of events has no end; tests/integration/test_event_stream.py is about it.
ENDLESS = "followEvents"
# They go last: they would leave nothing for the others, not even who asks.
DEADLY = ("deleteJob", "deleteJobs", "deleteJobMass", "deleteWorker", "deleteWorkerTag")
# It wants 401 where Flamenco's Workers know 403; `ignored_auth` sees who gets in without.
UNFIT = "missing_required_header"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cases", type=int, default=2000, help="at least so many requests")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--database", help="another than a new SQLite file")
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="flamenco-fuzz-") as name:
        folder = Path(name)
        with running_manager(folder, options.database) as url:
            config = folder / "schemathesis.toml"
            config.write_text(configuration(*populate(url)), encoding="utf-8")
            return fuzz(url, config, options)


@contextmanager
def running_manager(folder: Path, database: str | None = None) -> Iterator[str]:
    """Run a Manager and give its address; it is stopped by its process id."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command: list[object] = [
        *FLAMENCO,
        "manager",
        "--data",
        folder,
        "--listen",
        f"127.0.0.1:{port}",
    ]
    command += ["--shared", folder / "shared", "--log-level", "warning"]
    command += ["--database", database] if database else []
    env = {**os.environ, "FLAMENCO_AUTODISCOVERABLE": "false"}
    process = subprocess.Popen([str(part) for part in command], cwd=folder, env=env, text=True)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_for(url, process)
        yield url
    finally:
        process.terminate()
        process.wait(30)


def wait_for(url: str, process: Process) -> None:
    end = time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(f"{url}/ready").status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit("the Manager did not start")


def populate(url: str) -> tuple[dict[str, list[str]], str]:
    """Let there be jobs, tags and workers, one at work; return all ids and who is at work."""
    with httpx.Client(base_url=f"{url}/api/v3") as client:
        worker, *others = [register(client) for _ in range(MANY)]
        jobs = [submit(client) for _ in range(MANY)]
        tags = [ok(client.post("/worker-mgt/tags", json={"name": f"t{n}"})) for n in range(MANY)]
        found = ok(client.get(f"/jobs/{jobs[-1]}/tasks")).json()["tasks"]
        login = (worker, SECRET)
        ok(client.post("/worker/state-changed", json={"status": "awake"}, auth=login))
        at_work = ok(client.post("/worker/task", auth=login)).json()["uuid"]
    ids = {
        "job_id": jobs,
        "task_id": [at_work, *(task["id"] for task in found)],
        "worker_id": others,  # without the one that asks: somebody might delete it
        "tag_id": [tag.json()["id"] for tag in tags],
        "typeName": ["echo-sleep-test"],
    }
    return ids, worker


def register(client: httpx.Client) -> str:
    body = {"name": "w", "platform": "linux", "secret": SECRET, "supported_task_types": ["misc"]}
    return str(ok(client.post("/worker/register-worker", json=body)).json()["uuid"])


def submit(client: httpx.Client) -> str:
    job: dict[str, Any] = {"name": "j", "type": "echo-sleep-test", "submitter_platform": "linux"}
    job["settings"] = {"message": "hi", "sleep_repeats": 3, "sleep_duration_seconds": 1}
    return str(ok(client.post("/jobs", json=job)).json()["id"])


def ok(answer: httpx.Response) -> httpx.Response:
    answer.raise_for_status()
    return answer


def configuration(ids: dict[str, list[str]], worker: str) -> str:
    """Write Schemathesis' settings: half of all ids are of things that there are."""
    lines = [
        'hooks = "fuzz_hooks"',
        "[auth.basic]",
        f"username = {json.dumps(worker)}",
        f"password = {json.dumps(SECRET)}",
        "[generation]",
        # tests/contract/wire/test_hostile.py sends it in every text of every body.
        "allow-x00 = false",
        "[checks.positive_data_acceptance]",
        f"expected-statuses = {json.dumps(STATE)}",
        "[checks.negative_data_rejection]",
        f"expected-statuses = {json.dumps([*STATE[1:], '400', '405'])}",
    ]
    for name in NOT_ALL_SAID:
        lines += ["[[operations]]", f'include-operation-id = "{name}"']
        lines += [
            f"checks.positive_data_acceptance.expected-statuses = {json.dumps([*STATE, '400'])}"
        ]
    for name, values in ids.items():
        lines += [f"[dictionaries.{name}]", f"values = {json.dumps(values)}"]
    lines += ["[parameters]"]
    lines += [f'"path.{name}" = {{ dictionary = "{name}", probability = 0.5 }}' for name in ids]
    return "\n".join(lines)


def fuzz(url: str, config: Path, options: argparse.Namespace) -> int:
    """Send all requests; return 0 if nothing was found in enough of them."""
    each = 30 if options.cases < COVERAGE else 60  # requests for an example, measured
    how = ["--seed", options.seed, "--max-examples", options.cases // each + 1]
    outputs: list[str] = []
    failed = False
    for together in rounds(options.cases):
        runs = [start(url, config, *how, *what) for what in together]
        outputs += [run.communicate()[0] for run in runs]
        failed = failed or any(run.returncode for run in runs)
    print("\n".join(outputs))
    cases = sum(int(number) for text in outputs for number in GENERATED.findall(text))
    failed = failed or cases < options.cases
    print(f"{cases} cases, seed {options.seed}: {'FAILED' if failed else 'nothing found'}")
    return 1 if failed else 0


def rounds(cases: int) -> list[list[list[str]]]:
    """Return what each run of Schemathesis is told; those of one round run at once."""
    if cases < COVERAGE:
        return [[["--phases", "fuzzing", *named("--exclude-operation-id", ENDLESS)]]]
    # Two processes, not two threads: Python 3.11 miscounts the depth of syntax trees that
    # two threads build at once (CPython's gh-106905), which ends Schemathesis.
    others = named("--exclude-operation-id", ENDLESS, *DEADLY)
    first = [[*others, "--phases", phases] for phases in PHASES]
    return [first, [named("--include-operation-id", *DEADLY)]]


def start(url: str, config: Path, *how: object) -> Process:
    program: list[object] = [PYTHON, "-m", "schemathesis.cli", "--config-file", config, "run"]
    program += [f"{url}/api/v3/openapi3.json", "--checks", "all", "--exclude-checks", UNFIT]
    program += ["--generation-database", "none", "--continue-on-failure", "--no-color", *how]
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    return subprocess.Popen(
        [str(part) for part in program],
        cwd=config.parent,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
    )


def named(option: str, *names: str) -> list[str]:
    return [part for name in names for part in (option, name)]


if __name__ == "__main__":
    sys.exit(main())
