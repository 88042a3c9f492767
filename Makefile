# Everything a fresh machine with git, make and Python 3.11 or newer needs: `make quickstart`, `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
TRL_VERSIONS := aligntune_trl/src/aligntune_trl/constraints.txt
STAMP := $(VENV)/.installed
export HF_HUB_OFFLINE ?= 1

.PHONY: install quickstart test oldest both lint types trial gpu wheels benchmark clean

install: $(STAMP)

$(STAMP): constraints.txt $(TRL_VERSIONS) tests/requirements.txt pyproject.toml $(wildcard aligntune_*/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "AlignTune needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable aligntune_core --editable 'aligntune_trl[gguf]' --requirement tests/requirements.txt
	# Unsloth's own packages need a CUDA GPU; its light plugin and capability table do not
	$(BIN)/python -m pip install --quiet --no-deps --editable aligntune_unsloth --editable .
	touch $@

quickstart: $(STAMP)
	$(BIN)/aligntune quickstart

test: $(STAMP) lint types
	$(BIN)/python -m pytest -m "not slow and not gpu"

# the TRL backend's tests on the oldest TRL that is supported, in an environment of its own
OLDEST ?= 1.12.0
OLDEST_VENV := .venv-trl-$(OLDEST)
SELECTION ?= tests/trl

$(OLDEST_VENV)/.installed: $(TRL_VERSIONS) constraints.txt $(wildcard aligntune_*/pyproject.toml)
	$(PYTHON) -m venv $(OLDEST_VENV)
	cat $(TRL_VERSIONS) constraints.txt | sed '/^--constraint/d; s/^trl==.*/trl==$(OLDEST)/' > $(OLDEST_VENV)/constraints.txt
	$(OLDEST_VENV)/bin/python -m pip install --quiet --constraint $(OLDEST_VENV)/constraints.txt --editable aligntune_core --editable 'aligntune_trl[gguf]' pytest hypothesis
	touch $@

oldest: $(OLDEST_VENV)/.installed
	$(OLDEST_VENV)/bin/python -m pytest -m "not slow and not gpu" $(SELECTION)

# the TRL backend's tests on the newest TRL and on the oldest
both: $(STAMP)
	$(BIN)/python -m pytest -m "not slow and not gpu" tests/trl
	$(MAKE) oldest

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy aligntune_core/src aligntune_trl/src aligntune_unsloth/src
	MYPYPATH=tests/plugins/minimal/src $(BIN)/mypy tests/plugins/minimal/src

# a real pretrained model on real data, minutes long
trial: $(STAMP)
	$(BIN)/python -m pytest -m slow -s

# on a machine with a CUDA GPU: what only it can show, then the cells that have no result yet, each a file, and their page;
# those of Unsloth run where GPU_PYTHON is the interpreter of an environment that has it
GPU_PYTHON ?= $(BIN)/python
gpu: $(STAMP)
	$(BIN)/python -m pytest -m gpu tests/gpu
	$(GPU_PYTHON) tests/gpu/cells/run.py
	$(BIN)/python tests/gpu/cells/page.py

wheels: $(STAMP)
	for distribution in . aligntune_core aligntune_trl aligntune_unsloth; do \
		$(BIN)/python -m build --quiet --wheel --no-isolation --outdir dist $$distribution; done

# ratios of medians against a script written by hand on TRL, and of a query against a bare interpreter
benchmark: $(STAMP)
	for algorithm in sft dpo; do $(BIN)/python tests/benchmarks/overhead.py --algorithm $$algorithm; done
	$(BIN)/python tests/benchmarks/plugins.py

clean:
	rm -rf $(VENV) .venv-trl-* dist aligntune-output
