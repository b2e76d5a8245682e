#!/usr/bin/env bash
# Make every mutant that mutmut knows of velocity/ and let the golden logs judge them: `make mutants`. The environment and the
# copy that it works on are thrown away; what survived is explained in MUTANTS.md beside this file.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
bench=$(mktemp -d)
trap 'rm -rf "$bench"' EXIT

"$root/.venv/bin/python" -m venv "$bench/env"
"$bench/env/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$root/requirements/mutants.lock"
mkdir -p "$bench/copy/tests" "$bench/copy/velocity"
cp "$root"/velocity/*.py "$bench/copy/velocity/"
cp "$root/tests/velocity/check_golden.py" "$bench/copy/tests/test_golden.py"
cat > "$bench/copy/pyproject.toml" <<'END'
[project]
name = "velocity"
version = "0"
[tool.mutmut]
source_paths = ["velocity"]
do_not_mutate = ["velocity/conformance.py", "velocity/__main__.py", "velocity/__init__.py"]
tests_dir = ["tests"]
also_copy = ["tests"]
END
cd "$bench/copy"
export GOLDEN_LOGS="$root/velocity/golden" PATH="$bench/env/bin:$PATH"
mutmut run > "$bench/run.log" 2>&1 || { tail -20 "$bench/run.log"; exit 1; }
"$bench/env/bin/python" "$root/tests/velocity/count_mutants.py" mutants "$root/tests/velocity/MUTANTS.md"
