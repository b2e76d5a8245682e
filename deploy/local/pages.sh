#!/usr/bin/env bash
# Build the desk's pages into console/web/dist, unless nothing changed. `--check` also checks their style and types and
# runs their tests. Without Node the pages are skipped with a message; with REQUIRE_INFRA=1 that is a failure.
set -euo pipefail
cd "$(dirname "$0")/../.."

skip() {
    echo "== the desk's pages are skipped: $1. The command line offers every action of the desk."
    [ "${REQUIRE_INFRA:-}" != 1 ] || exit 1
    exit 0
}
command -v node >/dev/null && command -v npm >/dev/null || skip "Node (20 or newer) is not installed"
[ "$(node -p 'process.versions.node.split(".")[0] >= 20')" = true ] || skip "Node 20 or newer is needed, this is $(node --version)"

cd console/web
modules=node_modules/.crossdock-ready
built=dist/.crossdock-built
if [ ! -e "$modules" ] || [ package-lock.json -nt "$modules" ]; then
    begin=$SECONDS
    npm ci --no-audit --no-fund --loglevel=error || skip "their npm packages could not be downloaded"
    touch "$modules"
    echo "== packages of the pages: $((SECONDS - begin)) s"
fi
if [ ! -e "$built" ] || [ -n "$(find src public tools index.html package-lock.json vite.config.ts ../../schemas/generated/openapi \
    -newer "$built" -not -path '*/generated/*.ts' -print -quit)" ]; then
    begin=$SECONDS
    npm run --silent build
    touch "$built"
    echo "== pages: $((SECONDS - begin)) s"
fi
if [ "${1:-}" = --check ]; then
    npm run --silent lint
    npm run --silent test
fi
