# npm.sh: what tests with packages of npm begin with. Sourced, in the folder of their package.json.

# need_npm NAME PACKAGE: goes on with the packages installed, PACKAGE among them; else the test is skipped, and says why.
need_npm() {
  if [[ ${AISERVE_BROWSER:-} != 1 ]]; then
    echo "SKIPPED: $1: run scripts/test --browser"
    exit 77
  fi
  command -v npm >/dev/null || { echo "SKIPPED: npm is missing"; exit 77; }
  [[ -d node_modules/$2 ]] && return
  npm ci --ignore-scripts --no-audit --no-fund || { echo "SKIPPED: npm cannot install $2"; exit 77; }
}
