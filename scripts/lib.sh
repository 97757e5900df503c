# shellcheck shell=sh
# Shared by the scripts beside it: messages, and packages of the operating system. POSIX sh.

say() { printf '\n==> %s\n' "$1"; }

# fail "what happened" "what to do"
fail() {
  printf '\n%s\n%s\n' "$1" "$2" >&2
  exit 1
}

# Install Debian packages; where that takes rights that we lack, say what to run instead.
system_packages() {
  command -v apt-get >/dev/null || fail "Missing on this machine: $*" \
    "Install them with your system's package manager, then run this again."
  if [ "$(id -u)" = 0 ]; then
    as_root=
  elif sudo -n true 2>/dev/null; then
    as_root="sudo -n"
  else
    fail "Missing on this machine: $*" \
      "Run this, then try again:  sudo apt-get update && sudo apt-get install -y $*"
  fi
  say "Installing system packages: $*"
  {
    $as_root apt-get -qq update
    $as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get -qqy -o Dpkg::Use-Pty=0 install --no-install-recommends "$@"
  } || fail "The system's packages could not be installed: $*" "See the lines above."
}
