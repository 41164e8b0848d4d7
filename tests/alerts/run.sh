#!/usr/bin/env bash
# run.sh ROOT: the alert rules are valid, and fire on the series that they must and on no others.
# Exit status 77, skipped, without promtool (Debian: prometheus).
set -euo pipefail
cd "${1:?usage: run.sh ROOT}/docs/runbooks"

command -v promtool >/dev/null || {
  echo "SKIPPED: no promtool; apt install prometheus has it"
  exit 77
}
promtool check rules alerts.yml
promtool test rules alerts_test.yml

# Whoever is woken by an alert finds a page.
while read -r page; do
  [[ -s ../../$page ]] || { echo "alerts.yml names $page, which is not there"; exit 1; }
done < <(sed -n 's/^ *runbook: //p' alerts.yml | sort -u)

# An alert that no series fires is not tested.
for alert in $(sed -n 's/^ *- alert: //p' alerts.yml); do
  grep -A1 "alertname: $alert\$" alerts_test.yml | grep -Eq 'exp_alerts:( &[a-z]+)?$' ||
    { echo "alerts_test.yml never fires $alert"; exit 1; }
done
