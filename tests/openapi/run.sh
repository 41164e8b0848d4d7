#!/usr/bin/env bash
# run.sh: the OpenAPI document of examples/05_typed_api before foreign tools: a validator, and a client in
# TypeScript that is generated from it, compiled and used. Only where somebody asked for it, for it needs
# node and npm.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../support/npm.sh
need_npm "OpenAPI test" openapi-typescript
exec node --test openapi.test.mjs
