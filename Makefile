# `make demo` and `make test` do everything on a fresh machine, set-up included.
PYTHON ?= python3
# Where torch comes from, if not from the default index; its CPU build is much smaller:
#     make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
TORCH := $(shell grep '^torch==' constraints.txt)

BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: demo test benchmark evaluate format check

demo: $(INSTALLED)
	$(BIN)/python -m posexfer_core demo --out out/demo

test: $(INSTALLED)
	$(BIN)/python -m pytest

benchmark: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.rasterizer
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.fit

evaluate: $(INSTALLED)
	$(BIN)/python -m training.evaluate --weights posexfer_core/assets/tiny.safetensors

format: $(INSTALLED)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) $(TORCH)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@
