# Each target is a line or two over scripts/ or the command line; see CONTRIBUTING.md.
PYTHON := $(shell for p in python3 python3.11 python3.13 python; do $$p -c '' 2>/dev/null && echo $$p && break; done)
SETUP := $(or $(PYTHON),$(error Flamenco needs Python 3.11 or newer; install it first)) scripts/setup.py
BIN := .venv/bin
# Whole files go to the next free process, the fast ones first; ARGS="-n 0" for one process.
PARALLEL := -n logical --maxprocesses 4 --dist loadfile --no-loadscope-reorder

.PHONY: demo test check mutants fuzz faults docs bench setup lock clean

demo:  ## A farm on this machine: Manager, Worker, a job, pictures.
	@$(SETUP) --blender
	@$(BIN)/flamenco demo

test:  ## All tests, the fast ones first.
	@$(SETUP) --blender
	@$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

check:  ## Format, lint, types, who imports whom, generated pages, house rules.
	@$(SETUP)
	@$(BIN)/python scripts/check.py

docs:  ## Write the generated pages of docs/reference.
	@$(SETUP)
	@$(BIN)/python scripts/docs.py

mutants:  ## Take away one guard at a time; the tests must notice each.
	@$(SETUP)
	@$(BIN)/python scripts/mutants.py $(ARGS)

bench:  ## Measure; prints figures.
	@$(SETUP)
	@for file in benchmarks/[a-z]*.py; do $(BIN)/python $$file || exit 1; done

faults:  ## Break a farm in every way we know; ARGS="--points 600 --scale 4" for a night.
	@$(SETUP)
	@$(BIN)/python -m faults $(ARGS)

fuzz:  ## Ask a Manager what nobody foresaw: 2,000 requests (ARGS="--cases N --seed N").
	@$(SETUP)
	@$(BIN)/python scripts/fuzz.py $(ARGS)

setup:  ## Prepare .venv; does nothing when nothing has changed.
	@$(SETUP)

lock:  ## Choose versions anew within pyproject.toml's limits (LOCK=--upgrade for the newest).
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header $(LOCK) \
		pyproject.toml plugins/*/pyproject.toml --all-extras --group dev \
		--no-emit-package flamenco-core -o requirements.lock

clean:  ## Remove what was made here, except .venv.
	rm -rf build dist demo .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
