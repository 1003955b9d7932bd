# Every command of the project; CONTRIBUTING.md tells what each is for.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
BIN := .venv/bin
PYTHON ?= python3

# Where it is set, every process of every run rewrites the assertions of all tests anew: half of the collection.
unexport PYTHONDONTWRITEBYTECODE

# Both at once: what the first prints comes whole at its end, and what a line with + prints as it goes.
BESIDE := $(MAKE) --no-print-directory --jobs=2 --output-sync=target

.PHONY: help lint helpers check unit test everything integration e2e demo demo-adapter cluster cluster-delete images push release \
	bench chaos soak generate lock

help: ## This list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-15s %s\n", $$1, $$2}'

.venv: requirements/operator.txt requirements/dev.txt pyproject.toml
	@echo "== Install the Python requirements into .venv"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --require-hashes -r requirements/operator.txt -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch .venv

lint: .venv ## Lint, types and import layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

helpers: .venv ## Go: vet and test the helper programs, with their processes
	@$(BIN)/python -m testbed.cluster.packages redis-server haproxy pgbouncer pg_ctlcluster=postgresql ip=iproute2 git git-lfs ssh=openssh-client \
		strace setsid=util-linux
	cd helpers && go vet ./... && go test -parallel 6 ./...
	cd testbed/cluster/runc-capped && go vet ./... && go test ./...

check: .venv ## The quick loop: lint, types, imports, generated files, unit tests; installs nothing
	@$(BESIDE) lint unit

unit: .venv # The tests without a server, each of few examples
	+@env -u MAKEFLAGS $(BIN)/pytest -n 2 --dist loadscope --hypothesis-profile=quick tests/unit

integration: .venv ## Tests on a real API server made of plain processes
	$(BIN)/pytest -v tests/integration

e2e: .venv ## Scenarios with real containers on the kind cluster
	$(BIN)/pytest -v e2e

test: lint ## Everything: what CI runs
	@$(BESIDE) helpers everything

everything: .venv # All tests of Python, in three processes, as they mostly wait
	+@env -u MAKEFLAGS $(BIN)/pytest -v --durations=25 -n 3 --dist loadscope --no-loadscope-reorder

cluster: .venv ## Create (or reuse) the kind cluster; its kubeconfig is .cluster/kubeconfig
	@$(BIN)/python -m testbed.cluster create

cluster-delete: .venv ## Delete the kind cluster
	@$(BIN)/python -m testbed.cluster delete

images: .venv ## Build the operator's and the helpers' images in the Docker engine
	@$(BIN)/python -m release images

REGISTRY ?=
PLATFORMS ?=
EXAMPLES ?=
push: .venv ## Push them: make push REGISTRY=registry.example.com/team; see docs/installation.md
	@$(BIN)/python -m release push "$(REGISTRY)" $(if $(PLATFORMS),--platforms=$(PLATFORMS)) $(if $(EXAMPLES),--examples)

release: .venv ## What users download, into dist/: the chart, install.yaml, the CRDs, SBOMs and checksums
	@$(BIN)/python -m release make dist --registry="$(REGISTRY)"

demo: .venv ## From nothing to push-to-deploy on a real cluster
	@$(BIN)/python -m demo

demo-adapter: .venv ## Four applications of different makes in one Prometheus: one query, one alert
	@$(BIN)/python -m demo.adapter

bench: .venv ## The operator beside ReplicaSet and StatefulSet on one API server: a table of figures
	@$(BIN)/python -m bench

SEEDS ?= 50
FROM ?= 1
chaos: .venv ## Random scenarios under faults: make chaos SEEDS=1000; a failing seed again: SEEDS=1 FROM=<seed>
	@$(BIN)/python -m chaos --seeds $(SEEDS) --from $(FROM)

MINUTES ?= 60
soak: .venv ## One operator for a long time: does it hold on to anything? make soak MINUTES=60
	@$(BIN)/python -m chaos.soak --minutes $(MINUTES)

generate: .venv ## Write crds/ and policies/ (the chart's too), kustomize/, docs/conditions.md and what tests/golden expects from the models
	$(BIN)/podpatterns crds crds
	$(BIN)/podpatterns policies policies
	for files in charts/*/files/crds; do $(BIN)/podpatterns crds $$files; done
	for files in charts/*/files/policies; do $(BIN)/podpatterns policies $$files; done
	cp charts/podpatterns-crds/templates/_kinds.tpl charts/podpatterns/templates/
	$(BIN)/podpatterns kustomize kustomize
	$(BIN)/podpatterns conditions docs/conditions.md
	$(BIN)/python -m tests.golden.golden
	$(BIN)/python -m tests.golden.renderings

COMPILE := CUSTOM_COMPILE_COMMAND="make lock" $(abspath $(BIN))/pip-compile --quiet --generate-hashes --strip-extras \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options --allow-unsafe --no-header

# pip-compile reads no dependency groups, so that the group's packages come to it on its standard input.
DEV_GROUP := import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["dev"], sep="\n")

BUILD_SYSTEM := import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")

lock: .venv ## Pin the Python requirements of pyproject.toml anew, with hashes
	PIP_FIND_LINKS= $(COMPILE) -o requirements/operator.txt pyproject.toml
	$(BIN)/python -c '$(DEV_GROUP)' | PIP_FIND_LINKS= $(COMPILE) -c requirements/operator.txt -o requirements/dev.txt -
	$(BIN)/python -c '$(BUILD_SYSTEM)' | PIP_FIND_LINKS= $(COMPILE) -c requirements/dev.txt -o requirements/build.txt -
