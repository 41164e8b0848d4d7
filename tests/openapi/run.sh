#!/usr/bin/env bash
# run.sh: the OpenAPI document of examples/05_typed_api before foreign tools: a validator, and a client in
# TypeScript that is generated from it, compiled and used. Only where somebody asked for it, for it needs
# node and npm.
set -euo pipefail
if [[ ${AISERVE_BROWSER:-} != 1 ]]; then
  echo "SKIPPED: OpenAPI test: run scripts/test --browser"
  exit 77
fi
cd "$(dirname "${BASH_SOURCE[0]}")"
command -v npm >/dev/null || { echo "SKIPPED: npm is missing"; exit 77; }
if [[ ! -d node_modules/openapi-typescript ]]; then
  npm ci --ignore-scripts --no-audit --no-fund || { echo "SKIPPED: npm cannot install the tools"; exit 77; }
fi
exec node --test openapi.test.mjs
