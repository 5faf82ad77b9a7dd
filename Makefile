# Every target sets up .venv first, from nothing if need be. See tools/bootstrap.py.

# The first command that really runs as a Python: a version manager's shim may exist and fail.
FIND_PYTHON = for p in python3 /usr/bin/python3 python; do \
	if "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 8))' >/dev/null 2>&1; then break; fi; p=; done; \
	if [ -z "$$p" ]; then echo "make: no python3 of version 3.8 or newer runs on this machine" >&2; exit 1; fi;
BOOTSTRAP = @$(FIND_PYTHON) exec "$$p" tools/bootstrap.py

.DEFAULT_GOAL := help
.PHONY: help setup demo transcript tables test lint format bench gate release clean

help: ## List these targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile

setup: ## Make .venv with everything in it
	$(BOOTSTRAP) --all

demo: ## Record examples/wallet.py and show the trace
	$(BOOTSTRAP) python tools/demo.py

transcript: ## Put what the demo prints into README.md
	$(BOOTSTRAP) python tools/transcript.py

tables: ## Put the tables of settings into the documents
	$(BOOTSTRAP) python tools/configuration.py

test: ## Run all tests on every supported interpreter; ARGS="..." goes to pytest, FETCH=1 unpacks the newest
	$(BOOTSTRAP) --all $(if $(FETCH),--fetch) python tools/run_tests.py $(ARGS)

lint: ## ruff, mypy --strict, layering, clang-format
	$(BOOTSTRAP) python tools/lint.py

format: ## Rewrite the sources in the house style
	$(BOOTSTRAP) python tools/lint.py --fix

bench: ## Run the benchmarks; ARGS="..." goes to them
	$(BOOTSTRAP) python -m benchmarks $(ARGS)

gate: ## Compare the costs of this checkout with its parent; ARGS="BASE" names another commit
	$(BOOTSTRAP) python -m benchmarks.gate $(ARGS)

release: ## PACKAGE=filter PART=minor: bump, build and tag that package alone
	$(BOOTSTRAP) python tools/release.py "$(PACKAGE)" "$(PART)"

clean: ## Remove .venv and everything that was built
	rm -rf .venv build dist packages/codetracer-core/src/codetracer_core/_native.*.so
