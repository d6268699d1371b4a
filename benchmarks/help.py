"""How long people wait for ``flamenco --help``, as a whole process. The aim: under 150 ms."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

ROUNDS = 20
PROGRAMS = {
    "python -c pass": ["-c", "pass"],
    "flamenco --help": ["-m", "flamenco_core.cli", "--help"],
    "flamenco jobs --help": ["-m", "flamenco_core.cli", "jobs", "--help"],
}


def main() -> None:
    for name, arguments in PROGRAMS.items():
        times = sorted(measured([sys.executable, *arguments]) for _ in range(ROUNDS))
        median, best = statistics.median(times), times[0]
        print(f"{name:22} median {median * 1000:4.0f} ms   best {best * 1000:4.0f} ms")


def measured(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
