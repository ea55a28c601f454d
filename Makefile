# `make demo` and `make test` do everything on a fresh machine, set-up included.
PYTHON ?= python3
# Where torch comes from, if not from the default index; its CPU build is much smaller:
#     make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
TORCH := $(shell grep '^torch==' constraints.txt)

BIN := .venv/bin
INSTALLED := .venv/.installed

.PHONY: demo test test-host benchmark benchmark-host evaluate comfy format check

demo: $(INSTALLED)
	$(BIN)/python -m posexfer_core demo --out out/demo

# The host tests need ComfyUI's own packages, torchvision among them, which `.venv` must not have:
# beside torch's CPU build it breaks other imports. They run in an environment on top of it.
COMFYUI_PATH ?= $(HOME)/ComfyUI
override COMFYUI_PATH := $(patsubst ~/%,$(HOME)/%,$(COMFYUI_PATH))
HOST_BIN := .venv-host/bin
PACKAGES := import sysconfig; print(sysconfig.get_path('purelib'))
HOST_INSTALLED := .venv-host/.installed-$(notdir $(abspath $(COMFYUI_PATH)))

HOST_TESTS := COMFYUI_PATH="$(abspath $(COMFYUI_PATH))" $(HOST_BIN)/python -m pytest tests/nodes

test: $(INSTALLED)
ifeq ($(wildcard $(COMFYUI_PATH)/nodes.py),)
	$(BIN)/python -m pytest
else
	@$(MAKE) --no-print-directory $(HOST_INSTALLED)
	$(BIN)/python -m pytest --ignore=tests/nodes; first=$$?; \
	$(HOST_TESTS) && exit $$first
endif

# Only what runs in ComfyUI: `make test-host COMFYUI_PATH=~/ComfyUI`.
test-host: $(HOST_INSTALLED)
	$(HOST_TESTS)

benchmark: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.rasterizer
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.fit

# Time of a steered step and memory of a server, in ComfyUI.
benchmark-host: $(HOST_INSTALLED)
	COMFYUI_PATH="$(abspath $(COMFYUI_PATH))" $(HOST_BIN)/python -m tests.benchmarks.host_step
	COMFYUI_PATH="$(abspath $(COMFYUI_PATH))" $(HOST_BIN)/python -m tests.benchmarks.host_memory

evaluate: $(INSTALLED)
	$(BIN)/python -m training.evaluate --weights posexfer_core/assets/tiny.safetensors

# Links the pack into a ComfyUI checkout and serves it on the CPU: `make comfy COMFYUI_PATH=~/ComfyUI`.
# Uses the environment of the host tests, or the Python that ComfyUI is installed for:
#     make comfy COMFYUI_PATH=~/ComfyUI COMFYUI_PYTHON=~/ComfyUI/venv/bin/python
COMFYUI_PORT ?= 8188
COMFYUI_ADDRESS := http://127.0.0.1:$(COMFYUI_PORT)
ifdef COMFYUI_PYTHON
SERVE := "$(abspath $(COMFYUI_PYTHON))"
else
SERVE := "$(abspath $(HOST_BIN)/python)" "$(abspath tests/nodes/cpu_torch.py)"
endif

comfy: $(if $(COMFYUI_PYTHON),,$(if $(wildcard $(COMFYUI_PATH)/main.py),$(HOST_INSTALLED)))
	@test -f "$(COMFYUI_PATH)/main.py" || { echo "There is no ComfyUI at $(COMFYUI_PATH); set COMFYUI_PATH."; exit 1; }
	@test -e "$(COMFYUI_PATH)/custom_nodes/posexfer" || ln -sfn "$(CURDIR)" "$(COMFYUI_PATH)/custom_nodes/posexfer"
	@echo "Open $(COMFYUI_ADDRESS) once it says 'Starting server', and choose a workflow under Templates, posexfer."
	cd "$(COMFYUI_PATH)" && $(SERVE) main.py --cpu --port $(COMFYUI_PORT)

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

# Pictures for the page's template browser and its help are left out: they are large, and unused.
$(HOST_INSTALLED): $(INSTALLED) $(COMFYUI_PATH)/requirements.txt
	$(BIN)/python -m venv --without-pip .venv-host
	$(BIN)/python -c "$(PACKAGES)" > $$($(HOST_BIN)/python -c "$(PACKAGES)")/beneath.pth
	grep -vE '^(torch|torchvision|torchaudio|comfyui-workflow-templates|comfyui-embedded-docs)\b' \
		$(COMFYUI_PATH)/requirements.txt > .venv-host/requirements.txt
	$(HOST_BIN)/python -m pip install --quiet --no-deps $(shell grep '^torchvision==' constraints.txt)
	$(HOST_BIN)/python -m pip install --quiet --constraint constraints.txt --requirement .venv-host/requirements.txt
	touch $@
