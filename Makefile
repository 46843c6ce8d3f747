# `make` lists what there is. Everything works from a bare clone with make and
# Python 3.11 or newer; what is missing is installed or named.

PORT = 8000
VENV = .venv
RUN = $(VENV)/bin/python
# A sh that fails when no Python is there; only run by the targets that need it.
ENVIRONMENT = python=$$(PYTHON="$(PYTHON)" sh scripts/python.sh) && "$$python" scripts/environment.py $(VENV)

.DEFAULT_GOAL := help
.PHONY: help demo test format lint messages screenshots bench lighthouse constraints
.PHONY: clean commonmark

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /    make \1\t/p' Makefile | expand -t 24

demo: ## start the sandbox with a real model on 127.0.0.1 (PORT=8000)
	@$(ENVIRONMENT) demo
	@$(RUN) -m sandbox.demo --port $(PORT)

test: ## the one gate: lint, types and all tests (POLLY_LONG=1 for the sweeps)
	@$(ENVIRONMENT) dev
	@$(RUN) -m scripts.gate

format: ## format Python and templates, and put the stylesheet together
	@$(ENVIRONMENT) dev
	@$(RUN) -m ruff check --fix --quiet . || true
	@$(RUN) -m ruff format .
	@$(RUN) -m scripts.styles
	@find templates sandbox tests -name '*.html' -exec $(VENV)/bin/djade --target-version 5.2 {} + || true

lint: ## the gate without the tests
	@$(ENVIRONMENT) dev
	@$(RUN) -m scripts.gate ruff import mypy djade djlint oxlint typos migrations

messages: ## bring the translations up to date (NEW=fr: begin another one)
	@$(ENVIRONMENT) dev
	@$(RUN) -m scripts.messages $(NEW)

screenshots: ## take the README's picture, and all others to build/screenshots
	@$(ENVIRONMENT) dev
	@POLLY_PICTURES=1 $(RUN) -m pytest --quiet tests/browser/test_screenshot.py
	@$(RUN) scripts/screenshots.py

bench: ## print the tables of benchmarks/
	@$(ENVIRONMENT) dev
	@for file in benchmarks/[a-z]*.py; do $(RUN) "$$file" || exit 1; done

lighthouse: ## ask Lighthouse about the list and a chat (needs node and npm)
	@$(ENVIRONMENT) dev
	@$(RUN) -m scripts.lighthouse

commonmark: ## stream the examples of CommonMark's specification (needs npm)
	@$(ENVIRONMENT) dev
	@$(RUN) -m scripts.commonmark

constraints: ## resolve the newest versions and write constraints.txt
	@$(ENVIRONMENT) dev
	@$(RUN) -m scripts.constraints

clean: ## remove environments, caches and builds; the sandbox keeps its data
	@rm -rf .venv .venv-* build dist .coverage .coverage.* .hypothesis
	@rm -rf .import_linter_cache .mypy_cache .pytest_cache .ruff_cache test-results
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
