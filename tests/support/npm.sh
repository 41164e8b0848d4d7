# npm.sh: what tests with packages of npm begin with. Sourced, in the folder of their package.json.

# install_npm PACKAGE: the packages of package.json, PACKAGE among them, unless they are there. A registry may be
# out of reach for a moment.
install_npm() {
  local tries
  [[ -d node_modules/$1 ]] && return
  for tries in 1 2 3; do
    npm ci --ignore-scripts --no-audit --no-fund && return
  done
  echo "SKIPPED: npm cannot install $1"
  return 1
}

# need_npm NAME PACKAGE: goes on with the packages installed, PACKAGE among them; else the test is skipped, and says why.
need_npm() {
  if [[ ${AISERVE_BROWSER:-} != 1 ]]; then
    echo "SKIPPED: $1: run scripts/test --browser"
    exit 77
  fi
  command -v npm >/dev/null || { echo "SKIPPED: npm is missing"; exit 77; }
  install_npm "$2" || exit 77
}
