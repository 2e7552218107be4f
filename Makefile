# SPDX-License-Identifier: MIT
# Every target does its own set-up first; `make help` lists them.
#
#   TARGET=bmv2   use the machine's p4c and simple_switch_grpc instead of the embedded target
#   TOPO=star4    which topology (`make topo`): a name in topologies/ or a path
#   SWITCH=s1     which switch (`make shell`)
#   ARGS='...'    passed on to the command behind a target

TARGET ?= softswitch
TOPO   ?= star4
SWITCH ?= s1
ARGS   ?=
TESTS  ?= tests

BIN  := .venv/bin
INCA := $(BIN)/inca

.DEFAULT_GOAL := run
.PHONY: help setup setup-test build run lcmp topo stop clean distclean test bench soak fuzz lint shell doctor verify

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:
	@tools/setup run

setup-test:
	@tools/setup test

build: setup ## compile the P4 programs: build/*.json, build/*.p4info.txtpb
	@$(INCA) build --target $(TARGET) $(ARGS)

run: setup ## train a model through the in-network aggregator; writes results/<run>/
	@$(INCA) run --target $(TARGET) $(ARGS)

lcmp: setup ## compare LCMP with ECMP and UCMP between 8 datacenters: ARGS='--mode corrected --fail 1-4'
	@$(INCA) lcmp run $(ARGS)

topo: setup ## bring up a network with a Mininet prompt: TOPO=star4
	@$(INCA) topo up $(TOPO) --target $(TARGET) $(ARGS)

stop: setup ## end the networks that this checkout started
	@$(INCA) stop $(ARGS)

clean: ## stop, and remove build/, logs/, pcaps/ and caches
	@[ ! -x $(INCA) ] || $(INCA) stop
	rm -rf build logs pcaps .pytest_cache .mypy_cache .ruff_cache .hypothesis

distclean: clean ## clean, and remove the Python environments
	rm -rf .venv .venv-shell .setup.lock *.egg-info

test: setup-test ## all tests (TESTS=tests/topologies for a part)
	@$(BIN)/python -m pytest -n 2 --dist loadgroup $(TESTS) $(ARGS)

bench: setup ## speed of the embedded switch, as ratios: ARGS='l2_forward --rounds 3'; then of the agents
	@$(INCA) bench $(ARGS)
	@$(INCA) bench-agents --target $(TARGET)

soak: setup ## packets, table writes and pipeline swaps for 10 minutes: ARGS='--seconds 60'
	@$(INCA) soak $(ARGS)

fuzz: setup-test ## random programs, documents, packets and P4Runtime messages for a minute: ARGS='--seconds 600 --seed 1'
	@$(BIN)/python -m tests.fuzz $(ARGS)
	@INCA_FUZZ_EXAMPLES=500 $(BIN)/python -m pytest -q tests/softswitch/server/test_hostile.py

lint: setup ## ruff and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

shell: setup ## p4runtime-shell on a running switch: SWITCH=s1
	@tools/setup shell
	@$(INCA) shell $(SWITCH) $(ARGS)

doctor: setup ## what is missing on this machine, and how to get it
	@$(INCA) doctor $(ARGS)

verify: setup ## model-check the programs and agents that run: the standard set
	@$(INCA) verify $(ARGS)
