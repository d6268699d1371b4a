"""Claims of tasks per second, however long the queue; see ``over_database/bench_claim.py``.

python benchmarks/claim.py [--quick] [--json]
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    # Not this folder: in it, http.py would pass for the standard library's http.
    sys.path[0] = str(Path(__file__).with_name("over_database"))
    runpy.run_path(str(Path(sys.path[0]) / "bench_claim.py"), run_name="__main__")
