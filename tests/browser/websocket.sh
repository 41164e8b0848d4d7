#!/usr/bin/env bash
# websocket.sh TEST.mjs: a test with npm ws, and a browser, as CTest runs it: only where somebody asked for
# it, for it needs node and npm.
# The browser half says SKIPPED where there is no browser.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../support/npm.sh
need_npm "WebSocket test" ws
exec node --test "${1:?usage: websocket.sh TEST.mjs}"
