# Everything is set up from a bare Python 3.11: make film, make test, make check.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# A process a core: more threads in each would only wait for each other. Many tests start processes
# of their own, which need not compile everything anew. One that is done takes over tests of another.
PYTEST := OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

.PHONY: film test check clean

film: $(VENV)/core
	$(BIN)/render linear_regression

test: $(VENV)/test
	$(PYTEST)

check: $(VENV)/check
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(PYTEST)

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

# One stamp for each set of packages, so that nothing is installed twice.
$(VENV)/core: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) --editable .
	touch $@

$(VENV)/test $(VENV)/check: $(VENV)/%: $(VENV)/bin/python pyproject.toml constraints.txt
	$(PIP) --editable ".[$*]"
	touch $@

clean:
	rm -rf $(VENV)
