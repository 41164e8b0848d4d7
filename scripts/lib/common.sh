# Sourced by the scripts in this folder: one-line errors, what they install and why, building.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
name=$(basename "$0")
jobs=$(nproc)
install=yes

say() { printf '%s\n' "$name: $*"; }
die() {
  printf '%s\n' "$name: $*" >&2
  exit 1
}

# Package and purpose; what a minimal Debian 12 image lacks.
build_packages=(
  "g++:C++20 compiler"
  "cmake:build system"
  "ninja-build:build system"
  "libboost1.81-dev:Asio and Beast, networking"
  "libfmt-dev:text formatting"
  "nlohmann-json3-dev:JSON"
  "libtorch-dev:runs TorchScript models"
  "zlib1g-dev:gzip of HTTP bodies, WebSocket messages and the data set"
  "libbrotli-dev:Brotli compression of HTTP responses"
  "libzstd-dev:Zstandard compression of HTTP responses"
  "libssl-dev:TLS, SHA-256 of model files, WebSocket handshakes"
  "libopenblas0-pthread:fast matrix products for libtorch; without it batching gains nothing"
  "libsqlitecpp-dev:the cache tier in a SQLite file"
  "libsqlite3-dev:SQLite"
  "libpq-dev:stores in PostgreSQL"
  "doctest-dev:unit tests"
  "dataset-fashion-mnist:70,000 labelled images for the demo model and its tests"
)

installed() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

# ensure_packages "package:why"...: installs what is missing, or says in one line why it cannot.
ensure_packages() {
  command -v dpkg-query >/dev/null || { say "not a Debian system: expecting what CMake looks for"; return; }
  local entry missing=()
  for entry in "$@"; do installed "${entry%%:*}" || missing+=("$entry"); done
  ((${#missing[@]})) || return 0

  local packages=("${missing[@]%%:*}") as_root=()
  [[ $install == yes ]] || die "missing packages (and --no-install given): ${packages[*]}"
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "needs root or sudo to install: ${packages[*]}"
    as_root=(sudo)
  fi

  say "installing with apt:"
  for entry in "${missing[@]}"; do printf '  %-22s %s\n' "${entry%%:*}" "${entry#*:}"; done
  local log
  log=$(mktemp)
  if ! { apt_get install || { apt_get update && apt_get install; }; } >"$log" 2>&1; then
    local reason
    reason=$(grep -m1 -E '^E:|sudo:' "$log" || tail -n1 "$log")
    rm -f "$log"
    die "apt cannot install ${packages[*]}: $reason"
  fi
  rm -f "$log"
}

# Uses the caller's `as_root` and `packages`.
apt_get() {
  local options=(-y -q --no-install-recommends -o DPkg::Lock::Timeout=120)
  case $1 in
    update) "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q update ;;
    install) "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" install "${packages[@]}" ;;
  esac
}

configure() {  # PRESET [OPTION...]
  local preset=$1 log=$root/build/$1.configure.log
  shift
  mkdir -p "$root/build"
  say "configuring build/$preset"
  (cd "$root" && cmake --preset "$preset" "$@") >"$log" 2>&1 || {
    cat "$log" >&2
    die "CMake could not configure build/$preset"
  }
}

build() {  # PRESET [TARGET...]
  local preset=$1 targets=()
  shift
  (($#)) && targets=(--target "$@")
  say "building build/$preset"
  cmake --build "$root/build/$preset" -j "$jobs" "${targets[@]}" || die "the build in build/$preset failed"
}

# The demo model is kept outside the source tree, so that every checkout finds it.
model_file() {
  local home=~
  echo "${XDG_CACHE_HOME:-$home/.cache}/aiserve/fashion/fashion.pt"
}

train_model() {  # after `build release train_fashion`
  local folder
  folder=$(dirname "$(model_file)")
  [[ -s $folder/fashion.json ]] || say "training the model on Fashion-MNIST, about two minutes, into $folder"
  "$root/build/release/examples/train_fashion/train_fashion" --out "$folder" || die "the training failed"
}
