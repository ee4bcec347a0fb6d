# `make demo` opens the page on the nano model, `make test` runs the whole suite; both install what they need first.
# `make lint` is its first part, style and types; `make coverage` tells which lines the suite runs.
# `make space-check` tries the versions that a Space has: CUDA builds of torch, 3 GB and some minutes for each.
# `make atlas` draws the everyday things that training and evaluation show: it wants npm, and Debian for photographs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export SAM2_BUILD_CUDA := 0  # sam2's optional CUDA extension is not used

.PHONY: demo test lint coverage space-check atlas

demo: $(VENV)/app.installed
	$(BIN)/python app.py

# Many tests wait for other programs, so two run at once; those of one file share what they start.
IN_PARALLEL := --numprocesses 2 --dist loadfile --no-loadscope-reorder

test: $(VENV)/test.installed lint
	$(BIN)/python -m pytest $(IN_PARALLEL) $(PYTEST_ARGUMENTS)

lint: $(VENV)/test.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# A report, no threshold; processes that the tests start count.
coverage: $(VENV)/test.installed
	$(BIN)/python -m pytest --cov --cov-report=term:skip-covered --cov-report=html:out/coverage $(PYTEST_ARGUMENTS)

# torch and setuptools come first and sam2 is built against them: an isolated build would download a torch of its own.
$(VENV)/app.installed: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --constraint requirements.txt torch setuptools wheel
	$(BIN)/pip install --no-build-isolation --requirement requirements.txt
	$(BIN)/pip install --no-deps --editable .
	touch $@

$(VENV)/test.installed: $(VENV)/app.installed tests/requirements.txt
	$(BIN)/pip install --no-build-isolation --requirement tests/requirements.txt
	command -v chromium >/dev/null || { apt-get update && apt-get install --yes --no-install-recommends chromium; }
	touch $@

# The oldest and the newest pair of Python and torch that ZeroGPU has.
SPACES := 3.12-2.11.0 3.10-2.8.0
SPACE_TESTS := tests/test_parity.py tests/test_checkpoint.py tests/test_device.py tests/test_building.py tests/test_bfloat16.py \
    tests/demo/test_zerogpu.py

space-check: $(SPACES:%=space-check-%)

space-check-%: .space/%/installed
	.space/$*/bin/python -m pytest $(SPACE_TESTS) $(PYTEST_ARGUMENTS)

# In one go and with build isolation, as a Space does it; its resolver chooses the version of torch.
.PRECIOUS: .space/%/installed
.space/%/installed: requirements.txt tests/requirements.txt
	python$(firstword $(subst -, ,$*)) -m venv $(@D)
	env -u SAM2_BUILD_CUDA $(@D)/bin/pip install --requirement requirements.txt torch==$(lastword $(subst -, ,$*))
	$(@D)/bin/pip install --requirement tests/requirements.txt
	touch $@

# Icons come from npm, photographs from Debian's packages of wallpapers; neither is kept in the repository.
ATLAS ?= $(HOME)/.cache/mpgsam2/atlas
STYLES := noto twemoji emojione openmoji fluent-emoji
WALLPAPERS := mate-backgrounds plasma-workspace-wallpapers

atlas: $(VENV)/app.installed
	$(BIN)/pip install "resvg-py>=0.5,<0.6"
	set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	for style in $(STYLES); do \
	    mkdir -p "$$folder/icons/$$style"; \
	    (cd "$$folder" && npm pack --silent "@iconify-json/$$style" | xargs -I {} tar xzf {} -C "icons/$$style" --strip-components=1); \
	done; \
	(cd "$$folder" && apt-get download $(WALLPAPERS) && for file in *.deb; do dpkg -x "$$file" photographs; done); \
	$(BIN)/python -m mpgsam2.nano.drawings.build --icons "$$folder/icons" --photographs "$$folder/photographs" --out "$(ATLAS)"
