# SPDX-License-Identifier: BSD-3-Clause
# Every target sets up what it needs: packages of the system (as root or by sudo), a virtual environment, the package.

PYTHON ?= python3
CONFIG ?=
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
PACKAGES := iverilog verilator ngspice libngspice0 libngspice0-dev gcc libc6-dev python3-dev python3-venv
ENGINE := $(wildcard pyharness/cosim/engine/*.c pyharness/cosim/engine/*.h)

.PHONY: help setup sim test lint bench clean

help:
	@echo "make sim    program 30 memristors through the RTL, classify images, write build/sim/latest/report.html"
	@echo "make test   all tests"
	@echo "make lint   Python, Verilog and type checks"
	@echo "make bench  benchmarks, one JSON file each in build/bench"
	@echo "make clean  remove build products and the virtual environment"
	@echo "Each sets up what it needs.  CONFIG=file.yaml chooses the configuration of make sim."

setup: $(VENV)/.installed

# The system's packages: asked of dpkg, so that nothing runs when they are there.
$(VENV)/.system: Makefile
	@missing=""; \
	for p in $(PACKAGES); do \
	    dpkg-query -W -f='$${Status}' $$p 2>/dev/null | grep -q "ok installed" || missing="$$missing $$p"; \
	done; \
	if [ -n "$$missing" ]; then \
	    if [ "$$(id -u)" = 0 ]; then run=""; \
	    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then run="sudo"; \
	    else echo "packages are missing; as root run:"; echo "apt-get install -y$$missing"; exit 1; fi; \
	    $$run apt-get update -q; \
	    $$run env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $$missing; \
	fi
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"Python 3.11 or newer is needed, this is {v[0]}.{v[1]}: set PYTHON=")'
	@mkdir -p $(VENV)
	@touch $@

$(VENV)/.installed: $(VENV)/.system pyproject.toml $(ENGINE)
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,lint]'
	@touch $@

sim: setup
	$(BIN)/pyharness sim $(CONFIG)

test: setup
	$(BIN)/python -m pytest -n auto

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd hdl && iverilog -g2005 -Wall -Wno-timescale -o /dev/null -s system_top $$(cat accelerator.f) system_top.v analog/analog_array.v
	cd hdl && verilator --lint-only -Wall --top-module accelerator $$(cat accelerator.f)

bench: setup
	@mkdir -p build/bench
	@for script in benchmarks/*.py; do echo "== $$script"; $(BIN)/python $$script build/bench; done

clean:
	rm -rf build dist $(VENV) *.egg-info pyharness/cosim/_engine*.so
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
