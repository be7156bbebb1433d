# On a machine with only Python >= 3.11 and make, `make demo` and `make test` do all the set-up they need.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint format bench evaluate model evasion mutants faults fuzz fuzz-guided kill docker-check docs lock clean

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' Makefile

setup: $(STAMP) ## Build .venv (does nothing while the lock files are unchanged)

$(STAMP): requirements/build.txt requirements/dev.txt pyproject.toml scripts/setup
	@scripts/setup "$(PYTHON)" .venv
	@touch $@

demo: $(STAMP) ## Run relay and console with sample contacts and a built-in smarthost; Ctrl-C ends it
	@$(BIN)/gateway demo $(ARGS)

test: $(STAMP) ## Run all tests (ARGS="-k name" for some)
	@$(BIN)/pytest $(ARGS)

check: lint ## Lint, and the tests that need no neighbours and no minutes
	@$(BIN)/pytest -q -m "not slow and not postfix and not postgresql" $(ARGS)

lint: $(STAMP) ## Formatting, ruff, mypy, layers, rules
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/gateway rules lint

format: $(STAMP) ## Format the code
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix-only .

bench: $(STAMP) ## Measure the relay against others in one run
	@$(BIN)/python -m bench.relay $(ARGS)

faults: $(STAMP) ## Break the smarthost, the disk and the database, and print what the sender was told
	@$(BIN)/pytest tests/faults -v $(ARGS)
	@$(BIN)/python tests/faults/fault_cases.py && cat docs/faults.md

evaluate: $(STAMP) ## Judge the dev split by the whole engine, beside the baselines, against the goals
	@$(BIN)/gateway model evaluate --split dev --beside baselines $(ARGS)

model: $(STAMP) ## Make the language model from the corpus, in an environment of its own (ARGS="--fraction 0.05" to try)
	@scripts/train $(ARGS)

evasion: $(STAMP) ## Judge an advance in every known disguise, print the table and write docs/evasion.md
	@$(BIN)/python tests/evasion/table.py

mutants: $(STAMP) ## Break each condition of each rule and list those that no example notices (ARGS="--rule ID")
	@$(BIN)/python tests/rules_tools/mutation.py $(ARGS)

fuzz: $(STAMP) ## Read and judge a million odd messages (ARGS="--count N --seed N")
	@$(BIN)/python tests/fuzz/fuzzer.py $(ARGS)

fuzz-guided: $(STAMP) ## Fuzz towards code not yet reached, ten minutes (needs atheris: pip install -e .[fuzz])
	@$(BIN)/python tests/fuzz/coverage_guided.py -max_total_time=600 $(ARGS)

kill: $(STAMP) ## Kill the relay under load and account for every message
	@$(BIN)/python tests/kill/driver.py $(ARGS)

docker-check: $(STAMP) ## Run the Dockerfile's steps without an engine (Linux, root)
	@$(BIN)/python scripts/docker-steps

docs: $(STAMP) ## Print the generated pages again
	@$(BIN)/python scripts/docs

lock: $(STAMP) ## Lock the dependencies of pyproject.toml again, with hashes
	@scripts/lock

clean: ## Remove .venv and caches
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
