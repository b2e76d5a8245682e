#!/usr/bin/env bash
# Create the environment (.venv) from the locks, with hashes. `make setup` calls it without arguments. `make bench` and
# `make desk` call it with the name of a further lock in requirements/.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ -L .venv ]; then
    echo ".venv is a link to the environment of another checkout: run make setup there."
    exit 0
fi

python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "Crossdock needs Python 3.11 or newer: install it, or set PYTHON=/path/to/python3." >&2
    exit 1
fi
if [ ! -x .venv/bin/python ] && ! "$python" -m venv .venv; then
    rm -rf .venv
    echo "This Python cannot create an environment: install its venv module (Debian: apt-get install python3-venv)." >&2
    exit 1
fi

# uv does not read pip's settings. If pip is configured with another index or other certificates, pass them on to uv.
index=${PIP_INDEX_URL:-$(.venv/bin/python -m pip config get global.index-url 2>/dev/null || true)}
if [ -n "$index" ]; then
    export UV_DEFAULT_INDEX=${UV_DEFAULT_INDEX:-$index}
fi
certificates=${PIP_CERT:-$(.venv/bin/python -m pip config get global.cert 2>/dev/null || true)}
if [ -n "$certificates" ]; then
    export SSL_CERT_FILE=${SSL_CERT_FILE:-$certificates}
fi

failed() {
    echo "The packages could not be installed: check the network, or pip's index settings, and try again." >&2
    exit 1
}
if [ $# -eq 0 ] || [ ! -x .venv/bin/crossdock ]; then
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
        -r requirements/bootstrap.lock || failed
    .venv/bin/uv pip sync --quiet --python .venv/bin/python --require-hashes \
        requirements/lock.txt requirements/bootstrap.lock || failed
    .venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e . || failed
fi
for more in "$@"; do
    .venv/bin/uv pip install --quiet --python .venv/bin/python --require-hashes -r "requirements/$more.lock" || failed
done
