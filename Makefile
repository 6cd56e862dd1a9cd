# make demo     train a small network on handwritten digits, get a recommendation, apply it, compare with the prediction
# make test     install what is missing into .venv and run the tests
# make check    style, types and the rule base
# make docs     the catalogue of rules and devices and the guides as HTML, in build/docs/index.html
# make study    the long studies; with CASES=FOLDER (nets.py, images/, models/) docs/trained-networks.md, too
# make index    write knowledge/architectures.json anew, after timm or torchvision changed
# make fit      fit latencies and accuracies anew, from knowledge/evidence (some minutes)
# make workloads  profile the networks of the libraries into knowledge/workloads.csv.gz (about half an hour)
# make evidence EVIDENCE=FOLDER  carry a folder of published latencies and accuracies into knowledge/evidence
# make rules-evidence  hold the rules against the evidence: knowledge/evidence/agreement.json and docs/rules-evidence.md
# make bench    the tables of docs/: devices, fusion, size, memory, energy, arenas (an hour; needs EVIDENCE for the last two)
# make bench-host  calibrate this machine and judge it on networks it has not seen (an hour; wants a quiet machine)
# make learning  what outcomes teach, simulated and on published measurements: docs/learning.md (half a minute)
# make sweep    every timm family through int8, pruning and low rank: docs/sweep.md (half an hour on a quiet machine)
# make picture  draw docs/recommendation.svg from a real recommendation

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.PHONY: demo test check docs study picture index fit workloads evidence rules-evidence bench bench-host learning sweep catalogue clean

PY ?= python3
WORKERS ?= 2
BIN := .venv/bin
ADVISOR := $(BIN)/advisor
MODEL := demo/model.pt --input 1x3x32x32

demo: demo/recommendation.txt demo/run.txt
	@cat demo/recommendation.txt demo/run.txt
	@echo "The plan is in demo/plan.json; ask for instance: $(ADVISOR) explain demo/plan.json --why-not static_int8"

test: .venv/dev-installed
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

check: .venv/dev-installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy --config-file benchmarks/mypy.ini -p benchmarks
	$(ADVISOR) rules check
	$(ADVISOR) devices check

docs: .venv/docs-installed
	rm -rf build/docs-source build/docs build/docs-trees
	$(BIN)/python -m advisor.reports.catalogue build/docs-source
	$(BIN)/sphinx-build --fail-on-warning --keep-going --jobs auto -c docs -d build/docs-trees build/docs-source build/docs
	@echo "The first page is build/docs/index.html"

study: .venv/dev-installed
	$(BIN)/python -m pytest -m study
	ADVISOR_MUTATIONS=2000 $(BIN)/python -m pytest tests/loading/test_mutations.py
	$(if $(CASES),$(BIN)/python -m benchmarks.trained_networks $(CASES))

fit: .venv/installed
	$(BIN)/python -m advisor.learning.fit
	$(BIN)/python -m advisor.learning.steps
	$(BIN)/python -m advisor.learning.accuracy_store

workloads: .venv/installed
	$(BIN)/python -m advisor.learning.workloads

evidence: .venv/installed
	@test -n "$(EVIDENCE)" || { echo "make evidence: say EVIDENCE=FOLDER, a folder with latency.csv.gz, accuracy.csv.gz and sources.csv" >&2; exit 2; }
	$(BIN)/python -m advisor.learning.importing $(EVIDENCE)
	$(BIN)/python -m advisor.learning.agreement.networks

rules-evidence: .venv/installed
	$(BIN)/python -m advisor.learning.agreement

bench: .venv/dev-installed
	$(BIN)/python benchmarks/devices.py
	$(BIN)/python benchmarks/fusion.py
	$(BIN)/python benchmarks/size.py
	$(BIN)/python benchmarks/memory.py
	$(BIN)/python benchmarks/fit_memory.py
	$(BIN)/python benchmarks/accuracy_prediction.py
	$(BIN)/python -m benchmarks.runtimes $(CASES)
	$(BIN)/python -m benchmarks.probe_accuracy $(CASES)
	$(if $(EVIDENCE),$(BIN)/python benchmarks/arena.py $(EVIDENCE))
	$(if $(EVIDENCE),$(BIN)/python benchmarks/energy.py $(EVIDENCE))

bench-host: .venv/dev-installed
	$(BIN)/python benchmarks/host.py build/host --sessions 3

learning: .venv/installed
	$(BIN)/python benchmarks/learning.py

sweep: .venv/dev-installed
	$(BIN)/python benchmarks/sweep.py --jobs 2

catalogue: .venv/installed
	$(BIN)/python -m advisor.devices.page

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

.venv/docs-installed: pyproject.toml constraints.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[docs]' --constraint constraints.txt
	touch .venv/installed $@

demo/model.pt: examples/digits.py | .venv/installed
	$(BIN)/python examples/digits.py demo

demo/recommendation.txt: demo/model.pt
	$(ADVISOR) recommend $(MODEL) --data demo/images --target jetson-nano --max-drop 1 --output demo/plan.json > $@

demo/run.txt: demo/model.pt
	rm -rf demo/run
	$(ADVISOR) apply $(MODEL) --data demo/images --target host --out demo/run > $@
