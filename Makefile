# `make repro` and `make test` are all a fresh machine needs: each makes .venv, installs, and runs.
.PHONY: repro app test demo check bench bench-gpu seeds screenshots clean

# Tables have arrows in them, whatever the locale is.
export PYTHONUTF8 := 1
VENV := .venv
BIN := $(VENV)/bin
# Any Python from 3.11 on; `make repro PYTHON=...` chooses one.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python3.14; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

repro: $(VENV)/.installed
	@$(BIN)/python -m scripts.repro

app: $(VENV)/.installed
	@$(BIN)/streamlit run app/main.py

demo: $(VENV)/.installed
	@$(BIN)/python -m scripts.demo

# One process a core, one thread each: most tests wait for imports, and threads of several would wait for each other.
# They see no GPU: each process would take some of its memory. In the browser times are measured, and one test on a GPU
# fills it: nothing runs beside those tests.
test: check
	CUDA_VISIBLE_DEVICES= OMP_NUM_THREADS=1 $(BIN)/pytest --numprocesses=logical --maxprocesses=8 --dist=loadfile \
		--no-loadscope-reorder -m "not browser and not gpu"
	$(BIN)/pytest -m "browser or gpu"

seeds: $(VENV)/.installed
	@$(BIN)/python -m scripts.seeds $(SEEDS)
	@$(BIN)/python -m scripts.documents

screenshots: $(VENV)/.installed-dev
	@$(BIN)/python -m scripts.screenshots

bench: $(VENV)/.installed-dev
	@$(BIN)/python -m benchmarks.cpu

bench-gpu: $(VENV)/.installed
	@$(BIN)/python -m benchmarks.gpu

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

$(VENV)/.installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "error: no Python 3.11 or newer found; install one, or: make repro PYTHON=/path/to/python"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "installing into $(VENV) (6.7 GB on Linux, since torch brings CUDA; some minutes, once)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	@$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

clean: # what can be made again; never data, models or results
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache demo dvc_plots
