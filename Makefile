# The front door. `make help` lists what there is.
SHELL := /bin/bash
.DEFAULT_GOAL := help
JOBS ?= $(shell nproc)
DATA_DIR ?=
RUN_FLAGS = --contracts build/contracts.json $(if $(DATA_DIR),--data-dir $(DATA_DIR))

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: ## Debian packages, npm packages and crates that are missing
	@tools/install

contracts: install ## compile the contracts and write build/contracts.json
	@tools/contracts

# The preset's build folder is configured once; Ninja configures again when a CMakeLists.txt changes.
build/%/build.ninja: CMakeLists.txt CMakePresets.json
	@printf '  configure  %s\n' $*
	@cmake --preset $* >build-$*.log 2>&1 || { cat build-$*.log; rm -f build-$*.log; exit 1; }
	@rm -f build-$*.log

# OP-TEE comes from Debian's unstable suite, which moves: without an image the node takes a weaker body, and says so.
optee-or-say:
	@tools/optee || echo '  optee    NO IMAGE: the trusted core will run as a process, without a TEE'

run: install contracts page optee-or-say build/release/build.ninja ## start chain, trusted core and node; do the main job once; serve
	@printf '  build    community-node, key-enclave\n'
	@cmake --build build/release -j $(JOBS) --target community-node key-enclave -- --quiet
	@exec build/release/bin/community-node run --dev $(RUN_FLAGS)

game: install ## the example game, beside `make run`: http://127.0.0.1:9100
	@node examples/game/serve.mjs

optee: install ## the trusted core in OP-TEE: firmware, kernel and guest in build/optee/image
	@tools/optee

xtest: install ## OP-TEE's own regression suite against Debian's build; XTEST_FLAGS=--own: against ours
	@ta/xtest/run $(XTEST_FLAGS)

page: install ## the pages: build/page, which the node serves, and the escape page, build/escape.html
	@printf '  build    page, escape page\n'
	@cd web/page && npm run --silent build
	@cd web/escape && npm run --silent build

# The image of the TEE is made apart; the manifest says when there is none.
manifest: page build/release/build.ninja ## measurements and hashes of this build: build/manifest.json
	@cmake --build build/release -j $(JOBS) --target community-node key-enclave -- --quiet
	@tools/manifest

build: install build/dev/build.ninja ## everything, with assertions and tests
	@cmake --build build/dev -j $(JOBS)

# The Solidity compiler uses one processor and takes as long as all C++, so both run at the same time.
tested: install
	@$(MAKE) --no-print-directory -j2 contract-tests build
	@tools/optee tests || echo '  optee    NO IMAGE: every test of the OP-TEE body will be skipped'

contract-tests: install
	@tools/contracts --tests

test: tested ## build and run every test
	@tools/test

test-long: tested ## the same with the full counts of random and crash tests
	@tools/test --long

symbolic: install ## prove the contracts' pure parts (halmos, from PyPI)
	@tools/symbolic

bench: install contracts build/release/build.ninja ## measure; prints tables of ratios
	@cmake --build build/release -j $(JOBS)
	@bench/run build/release

fuzz: install build/fuzz/build.ninja ## each fuzzer for SECONDS_EACH (default 60)
	@cmake --build build/fuzz -j $(JOBS)
	@tools/fuzz build/fuzz $(or $(SECONDS_EACH),60)

lint: install build/dev/build.ninja ## clang-tidy, formatting, style, module dependencies
	@python3 tools/check_style.py && python3 tools/check_modules.py && tools/lint build/dev

format: ## format all C++
	@git ls-files '*.cpp' '*.hpp' | xargs clang-format-14 -i

clean: ## remove build outputs
	rm -rf build contracts/out contracts/cache

.PHONY: help install contracts contract-tests tested run game optee optee-or-say xtest page manifest build test test-long symbolic bench fuzz lint format clean
