# `make demo` opens the page on the nano model, `make test` runs the whole suite; both install what they need first.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export SAM2_BUILD_CUDA := 0  # sam2's optional CUDA extension is not used

.PHONY: demo test lint

demo: $(VENV)/app.installed
	$(BIN)/python app.py

test: $(VENV)/test.installed lint
	$(BIN)/python -m pytest $(PYTEST_ARGUMENTS)

lint: $(VENV)/test.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# torch and setuptools come first and sam2 is built against them: an isolated build would download a torch of its own.
$(VENV)/app.installed: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --constraint requirements.txt torch setuptools wheel
	$(BIN)/pip install --no-build-isolation --requirement requirements.txt
	touch $@

$(VENV)/test.installed: $(VENV)/app.installed tests/requirements.txt
	$(BIN)/pip install --no-build-isolation --requirement tests/requirements.txt
	command -v chromium >/dev/null || { apt-get update && apt-get install --yes --no-install-recommends chromium; }
	touch $@
