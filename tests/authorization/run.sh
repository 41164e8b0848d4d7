#!/usr/bin/env bash
# run.sh: a service that takes the tokens of a certified authorization server (oidc-provider): JSON Web Tokens with
# its keys as they rotate, and opaque ones by introspection. Only where somebody asked for it, for it needs node
# and npm.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
source ../support/npm.sh
need_npm "authorization test" oidc-provider
exec node --test authorization.test.mjs
