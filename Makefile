# make demo     train a small network on handwritten digits, get a recommendation, apply it, compare with the prediction
# make test     install what is missing into .venv and run the tests
# make check    style, types and the rule base
# make study    the long studies
# make index    write knowledge/architectures.json anew, after timm or torchvision changed
# make picture  draw docs/recommendation.svg from a real recommendation

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.PHONY: demo test check study picture index clean

PY ?= python3
BIN := .venv/bin
ADVISOR := $(BIN)/advisor
MODEL := demo/model.pt --input 1x3x32x32

demo: demo/recommendation.txt demo/run.txt
	@cat demo/recommendation.txt demo/run.txt
	@echo "The plan is in demo/plan.json; ask for instance: $(ADVISOR) explain demo/plan.json --why-not static_int8"

test: .venv/dev-installed
	$(BIN)/python -m pytest

check: .venv/dev-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(ADVISOR) rules lint

study: .venv/dev-installed
	$(BIN)/python -m pytest -m study
	ADVISOR_MUTATIONS=2000 $(BIN)/python -m pytest tests/loading/test_mutations.py

index: .venv/installed
	$(BIN)/python -m advisor.loading.recognition.build

picture: .venv/installed
	$(BIN)/python examples/picture.py docs/recommendation.svg

clean:
	rm -rf demo build dist .mypy_cache .pytest_cache .ruff_cache

.venv/bin/python:
	$(PY) -m venv .venv

.venv/installed: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable . --constraint constraints.txt
	touch $@

.venv/dev-installed: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]' --constraint constraints.txt
	touch .venv/installed $@

demo/model.pt: examples/digits.py | .venv/installed
	$(BIN)/python examples/digits.py demo

demo/recommendation.txt: demo/model.pt
	$(ADVISOR) recommend $(MODEL) --data demo/images --target jetson-nano --max-drop 1 --output demo/plan.json > $@

demo/run.txt: demo/model.pt
	rm -rf demo/run
	$(ADVISOR) apply $(MODEL) --data demo/images --target host --out demo/run > $@
