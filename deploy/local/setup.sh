#!/usr/bin/env bash
# Make the one environment (.venv) from the locks: same packages, same bytes, everywhere. `make setup` calls it;
# `make bench` calls it once more with the name of the lock of what only its rivals need.
set -euo pipefail
cd "$(dirname "$0")/../.."

if [ -L .venv ]; then
    echo ".venv is a link: the checkout it belongs to sets it up."
    exit 0
fi

python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    echo "Crossdock needs Python 3.11 or newer: install it, or name it with PYTHON=/path/to/python3." >&2
    exit 1
fi
if [ ! -x .venv/bin/python ] && ! "$python" -m venv .venv; then
    rm -rf .venv
    echo "This Python cannot make an environment: install its venv (Debian: apt-get install python3-venv)." >&2
    exit 1
fi

# uv does not read pip's settings: where pip was told another index or certificates, tell uv the same.
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
