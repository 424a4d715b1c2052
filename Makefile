# SPDX-License-Identifier: BSD-3-Clause
# Every target sets up what it needs: packages of the system (as root or by sudo), a virtual environment, the package.

PYTHON ?= python3
CONFIG ?=
TEST ?= tests
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
VENV := .venv
COMMA := ,
# the environment's tools are called by its Python: a script's first line holds no path with spaces, nor an old place
RUN := $(VENV)/bin/python -m
ENGINE := $(wildcard pyharness/cosim/engine/*.c pyharness/cosim/engine/*.h)

.PHONY: help setup develop sim study test test-tools test-simulators docs lint lint-python lint-types lint-verilog lint-va schema package mutation bench fit qa doctor handoff debian13 debian14 clean

help:
	@echo "make sim    program 30 memristors through the RTL, classify images, write build/sim/latest/report.html"
	@echo "make study  what the paper states, measured: 1563 jobs, nearly all without a simulator, build/study/paper; goes on where it was stopped"
	@echo "make test   all tests"
	@echo "make test-tools  those that other simulators or another Python may change"
	@echo "make test-simulators  those that run a simulator"
	@echo "make lint   all checks of the source: make lint-python (ruff), lint-types (mypy), lint-verilog, lint-va"
	@echo "make schema  write docs/schema, the JSON schemas of the files, anew"
	@echo "make package  wheel and source distribution in dist/, checked"
	@echo "make docs   the documentation site, build/docs/index.html"
	@echo "make mutation  damage the controller in many ways: the random regression must notice each, build/mutation.json"
	@echo "make bench  benchmarks, one JSON file each in build/bench"
	@echo "make qa     quality tables of all models and cards, build/qa"
	@echo "make doctor  every tool tried on a toy: what works, what serves instead, how the rest is installed"
	@echo "make handoff  the archive for chip designers, build/handoff; FORCE=1 replaces another one of this version"
	@echo "make fit    fit all cards to the measured loops anew, build/fit (some minutes)"
	@echo "make debian13, debian14  all tests in a fresh Debian 13, 14 (as root); TARGETS='test bench' for others"
	@echo "make clean  remove build products and the virtual environment"
	@echo "Each sets up what it needs (make setup does only that for simulations, make develop for tests and checks)."
	@echo "CONFIG=file.yaml chooses the configuration of make sim, TEST=folder the tests, PYTHON=command the interpreter."

setup: $(VENV)/.run
develop: $(VENV)/.develop

# what simulations need, and what tests and checks need beside it
$(VENV)/.system-%: tools/system-packages
	@tools/system-packages "$(PYTHON)" $*
	@mkdir -p $(VENV)
	@touch $(VENV)/.system-run $@

$(VENV)/.run $(VENV)/.develop: $(VENV)/.%: $(VENV)/.system-% pyproject.toml $(wildcard setup.py) $(ENGINE)
	@$(RUN) pip --version >/dev/null 2>&1 || "$(PYTHON)" -m venv $(VENV)
	@echo "installing Python packages$(if $(filter %develop,$@), with those of tests and checks); this takes a minute or two"
	@$(RUN) pip install --quiet --disable-pip-version-check -e '.$(if $(filter %develop,$@),[test$(COMMA)lint$(COMMA)docs$(COMMA)package])'
	@touch $(VENV)/.run $@

.PRECIOUS: $(VENV)/.system-%
.NOTPARALLEL:

sim: setup
	$(RUN) pyharness sim $(if $(CONFIG),"$(CONFIG)")

study: setup
	$(RUN) pyharness study $(if $(CONFIG),"$(CONFIG)",paper)

test: develop
	$(RUN) pytest -n auto "$(TEST)"

# what a newer simulator or Python may change: proofs, site and packages come of tools that pip brings
test-tools: develop
	$(RUN) pytest -n auto $(addprefix --ignore=tests/,formal docs packaging) tests

# what runs in a simulator
test-simulators: develop
	$(RUN) pytest -n auto $(addprefix tests/,cosim negative rtl/test_array_model.py rtl/test_controller.py system)

lint: lint-python lint-types lint-verilog lint-va

lint-python: develop
	$(RUN) ruff check .
	$(RUN) ruff format --check .

lint-types: develop
	$(RUN) mypy

lint-verilog: develop
	@echo "iverilog -g2005, verilator"
	@cd hdl; warnings=$$(iverilog -g2005 -Wall -Wno-timescale -t null -s system_top \
	    $$(cat accelerator.f) system_top.v analog/analog_array.v 2>&1) && [ -z "$$warnings" ] || { echo "$$warnings"; exit 1; }
	cd hdl && verilator --lint-only -Wall --top-module accelerator $$(cat accelerator.f)

lint-va: develop
	$(RUN) pyharness lint --strict

schema: setup
	@for kind in config study card fit-plan record summary; do \
	    $(RUN) pyharness schema $$kind --force -o docs/schema/$$kind.json; done

package: develop
	rm -rf dist
	$(RUN) build
	$(RUN) twine check --strict dist/*
	PYHARNESS_DIST="$(CURDIR)/dist" $(RUN) pytest -n auto tests/packaging

docs: develop
	$(RUN) sphinx -q -W --keep-going -d build/doctrees docs build/docs
	@echo "written: build/docs/index.html; build/docs/external-links.txt lists what leads elsewhere"

mutation: develop
	$(VENV)/bin/python tests/rtl/mutation.py

bench: develop
	@mkdir -p build/bench
	@for script in benchmarks/*.py; do echo "== $$script"; $(VENV)/bin/python $$script build/bench; done

qa: develop
	$(RUN) pyharness qa --strict

doctor: setup
	$(RUN) pyharness doctor

handoff: develop
	$(RUN) pyharness handoff build $(if $(FORCE),--force)

fit: setup
	@for dopant in tungsten tin chromium carbon; do $(RUN) pyharness fit $$dopant --force; done

debian13 debian14:
	@tools/debian $(@:debian%=%) $(TARGETS)

clean:
	rm -rf build dist $(VENV) *.egg-info pyharness/cosim/_engine*.so
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
