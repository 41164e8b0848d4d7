#!/usr/bin/env bash
# websocket.sh TEST.mjs: a test with npm ws, and a browser, as CTest runs it: only where somebody asked for
# it, for it needs node and npm.
# The browser half says SKIPPED where there is no browser.
set -euo pipefail
if [[ ${AISERVE_BROWSER:-} != 1 ]]; then
  echo "SKIPPED: WebSocket test: run scripts/test --browser"
  exit 77
fi
cd "$(dirname "${BASH_SOURCE[0]}")"
if [[ ! -d node_modules/ws ]]; then
  npm ci --ignore-scripts --no-audit --no-fund || { echo "SKIPPED: npm cannot install ws"; exit 77; }
fi
exec node --test "${1:?usage: websocket.sh TEST.mjs}"
