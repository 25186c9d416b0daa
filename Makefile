# make book      the environment, npm's part, the book; then serve it here and print the address (SERVE=0: only build)
# make test      the environment and every check there is (WORKERS=n: in so many processes); KUBEMINI_REQUIRE=1: what is
#                missing fails instead of skipping
# make chapters  execute the notebooks, store their outputs in normal form
# make soak      trouble for Raft (SCHEDULES=n), for a whole etcd and for whole clusters (SCENARIOS=n: in full, and the same
#                quiescent), users who change their minds meanwhile (CHURN=n), the failure timelines (TIMELINES=n), every trial
#                on a real cluster and in ours, every fault that must be noticed, and the cases that `make test` leaves out
# make oracles   the judges that are Go programs (etcd-io/raft's library, porcupine, the real Kubernetes and etcd), built from tests/oracles
# make twin      ours beside theirs, on fresh random conversations and histories (SEED=n: these, CONVERSATIONS=n, HISTORIES=n),
#                ours beside etcd 3.6 and 3.7, and beside a real cluster in three faults (TRIALS="name …": these; root),
#                beside a real API server (kubectl's lines, random sessions, requests by schema, OpenAPI),
#                beside the real scheduler's plugins on random clusters, and the real controllers in random stories,
#                and beside a real kube-proxy, CoreDNS, CNI plugins and evaluators of policies, on random worlds (root)
# make record    have the judges answer our recorded conversations anew, members of etcd our recorded sessions, and the
#                real cluster suffer the book's faults (TRIALS="name …": only these; needs root);
#                KUBECTL=a kubectl of 1.37.2: what it prints, too
# make bench     how fast it is, beside the bars; 1 if one is missed (CHECK=: only print)
# make schema    derive the fields of Kubernetes' objects from its published OpenAPI (a test does it again, and compares)
# A target whose inputs have not changed is not made again.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
SERVE ?= 1
# the tests start Python two hundred times: what is compiled is kept, whatever the environment says
unexport PYTHONDONTWRITEBYTECODE
# more than CI has cores: who tests a server or a browser mostly waits for it
WORKERS ?= 3
BIN := .venv/bin
PY := $(BIN)/python

HAVE_NPM := $(shell command -v npm)
NPM := $(if $(HAVE_NPM),node_modules/.ready,_build/.without-npm)
CODE := $(shell find kubemini -type f -not -path '*/__pycache__/*' 2>/dev/null)
CHAPTERS := $(shell find chapters -type f -not -path '*/.ipynb_checkpoints/*' 2>/dev/null)
TESTS := $(shell find tests -type f -not -path '*/__pycache__/*' 2>/dev/null)
BOOK := _build/html/.built
CHECKED := _build/.lint
TESTED := _build/.tested

.PHONY: book test lint schema chapters soak oracles twin twin-control-plane twin-network conformance record bench clean again

book: $(BOOK)
ifeq ($(SERVE),1)
	@$(PY) -m kubemini.book.press --serve
else
	@echo "The book: _build/html/index.html"
endif

# KUBEMINI_REQUIRE: somebody wants to know now
$(if $(KUBEMINI_REQUIRE),$(TESTED): again)
test: $(TESTED)
	@tail -n 1 $(TESTED)

$(TESTED): $(CHECKED) $(BOOK) $(TESTS)
	@rm -f $@
	$(PY) -m pytest -n $(WORKERS) --dist loadfile --nbval --nbval-current-env --nbval-cell-timeout 900 --durations 20 -rs tests chapters | tee _build/tests.txt
	@tail -n 1 _build/tests.txt > $@

lint: $(CHECKED)

$(CHECKED): .venv/.ready $(NPM) pyproject.toml eslint.config.mjs $(CODE) $(TESTS)
	@mkdir -p _build
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(if $(HAVE_NPM),node_modules/.bin/eslint .)
	$(if $(HAVE_NPM),node_modules/.bin/prettier --check kubemini/widgets/static eslint.config.mjs)
	@touch $@

$(BOOK): .venv/.ready $(NPM) _config.yml _toc.yml $(CODE) $(CHAPTERS)
	$(PY) -m kubemini.book.press
	@touch $@

chapters: .venv/.ready
	$(PY) -m kubemini.book.notebooks --run chapters/*.ipynb
	$(PY) -m kubemini.lab.solutions chapters/*.ipynb

schema: .venv/.ready
	$(PY) -m tests.oracles.kubernetes.schema

SCHEDULES ?= 300000
CHURN ?= 200
TIMELINES ?= 20
soak: oracles
	$(PY) -m tests.worlds.schedules $(SCHEDULES)
	$(PY) -m tests.worlds.nemesis $(SCENARIOS)
	$(PY) -m tests.worlds.nemesis --clusters $(SCENARIOS)
	$(PY) -m tests.worlds.quiet $(SCENARIOS)
	SOAK=1 $(PY) -m pytest -q -n $(WORKERS) --dist loadfile -m soak tests
	CHURN=$(CHURN) $(PY) -m pytest -q tests/cluster/test_churn.py tests/client/test_lease_clocks.py
	TIMELINES=$(TIMELINES) $(PY) -m pytest -q tests/timelines
	$(PY) -m tests.oracles tests/oracles/ha
	$(PY) -m tests.oracles.ha.real.twin --all
	$(PY) -m tests.real.api.chance --sessions 2000
	$(PY) -m tests.apiserver.described.allowed --operations 1000 --examples 20
	$(PY) -m tests.real.scheduler --clusters 10000
	$(PY) -m tests.real.workloads --stories 200
	$(PY) -m tests.real.workloads --stories 60 --kill
	$(PY) -m tests.real.kubeproxy --clusters 100
	$(PY) -m tests.real.dns --clusters 100
	$(PY) -m tests.real.cni --sessions 100
	$(PY) -m tests.real.policy --worlds 1000
	$(PY) -m tests.mutants --all

oracles: .venv/.ready
	$(PY) -m tests.oracles.build

# two at once, as most of them wait for a real program; those that make network namespaces, one after the other
twin: oracles
	@$(MAKE) -j 2 -Oline twin-control-plane twin-network

twin-control-plane:
	$(PY) -m tests.oracles.kubernetes.written --check
	$(PY) -m tests.oracles.kubernetes.wire --check
	$(PY) -m tests.oracles.kubernetes.names --check
	$(PY) -m tests.oracles.kubernetes.podtemplate --check
	$(PY) -m tests.real.api.twin
	$(PY) -m tests.real.kubectl.line
	$(PY) -m tests.real.api.chance --seed $(or $(SEED),1)
	$(PY) -m tests.apiserver.described.allowed --seed $(or $(SEED),1)
	$(PY) -m tests.real.api.described
	$(PY) -m tests.real.scheduler --seed $(or $(SEED),1)
	$(PY) -m tests.real.workloads --seed $(or $(SEED),1)

twin-network:
	$(PY) -m tests.oracles.twin $(if $(SEED),--seed $(SEED)) $(if $(CONVERSATIONS),--conversations $(CONVERSATIONS)) $(if $(HISTORIES),--histories $(HISTORIES))
	$(PY) -m tests.real.versions $(if $(SEED),--seed $(SEED))
	$(PY) -m tests.oracles.ha.real.twin $(if $(SEED),--seed $(SEED)) $(TRIALS)
	$(PY) -m tests.real.kubeproxy $(if $(SEED),--seed $(SEED))
	$(PY) -m tests.real.dns $(if $(SEED),--seed $(SEED))
	$(PY) -m tests.real.cni $(if $(SEED),--seed $(SEED))
	$(PY) -m tests.real.policy $(if $(SEED),--seed $(SEED))

conformance: .venv/.ready
	$(PY) -m tests.conformance

record: oracles
	$(if $(TRIALS),,$(PY) -m tests.oracles.raft.record)
	$(if $(TRIALS),,$(PY) -m tests.oracles.kubernetes.written)
	$(if $(TRIALS),,$(PY) -m tests.oracles.kubernetes.wire)
	$(if $(TRIALS),,$(PY) -m tests.oracles.kubernetes.names)
	$(if $(TRIALS),,$(PY) -m tests.oracles.kubernetes.podtemplate)
	$(if $(TRIALS),,$(PY) -m tests.oracles.sessions.record)
	$(if $(TRIALS),,$(PY) -m tests.oracles.histories.record)
	$(if $(TRIALS),,$(PY) -m tests.oracles.audit.record)
	$(if $(KUBECTL),$(PY) -m tests.real.kubectl.line record)
	$(if $(TRIALS),,$(PY) -m tests.oracles.etcd.record)
	$(PY) -m tests.oracles.ha.real $(TRIALS)
	$(PY) -m tests.oracles.ha.strips

CHECK ?= 1
bench: $(BOOK)
	$(PY) -m kubemini.book.press
	$(PY) -m kubemini bench $(if $(CHECK),--check) $(if $(HAVE_NPM),--pyodide)
	-$(PY) -m tests.bench.beside

.venv/.ready: requirements.txt constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or later is needed, this is " + sys.version.split()[0] + ": make PYTHON=python3.12")'
	@[ -x $(PY) ] || $(PYTHON) -m venv .venv
	$(BIN)/pip install -qq --disable-pip-version-check -r requirements.txt -c constraints.txt
	$(BIN)/pip install -qq --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

node_modules/.ready: package.json package-lock.json .npmrc
	npm ci --loglevel=error
	@touch $@

# the build says that live mode is off
_build/.without-npm:
	@mkdir -p _build && touch $@

clean:
	rm -rf _build build
