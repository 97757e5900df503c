# shellcheck shell=sh
# Shared by the scripts beside it: messages, the choice of Python, and packages of the operating
# system. POSIX sh.

say() { printf '\n==> %s\n' "$1"; }

# fail "what happened" "what to do"
fail() {
  printf '\n%s\n%s\n' "$1" "$2" >&2
  exit 1
}

# The Python to install for: PYTHON if it is set, else one that all packages have wheels for,
# else a newer one, for which pip has to compile some (PocketSphinx has none for 3.14 yet).
find_python() {
  if [ -n "${PYTHON:-}" ]; then
    is_python "$PYTHON" 99 && command -v "$PYTHON" && return
    fail "PYTHON=$PYTHON is not Python 3.11 or newer." "Name another, or unset it."
  fi
  for candidate in python3 python3.13 python3.12 python3.11; do
    is_python "$candidate" 13 && command -v "$candidate" && return
  done
  for candidate in python3 python3.14; do
    is_python "$candidate" 99 || continue
    say "$("$candidate" --version) is newer than some packages have wheels for: they take a C compiler.
    Python 3.11, 3.12 or 3.13 needs none:  PYTHON=/path/to/python3.13 make install" >&2
    command -v "$candidate" && return
  done
  fail "No Python 3.11 or newer was found." \
    "Install one (Debian 12: apt-get install python3), or name it:  PYTHON=/path/to/python3 make install"
}

# is_python command minor: is it Python 3.11 to 3.minor?
is_python() {
  "$1" -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, $2))" 2>/dev/null
}

# PostgreSQL's package makes a database and starts a server on port 5432, unless told not to.
without_a_database_server() {
  [ -e /etc/postgresql-common/createcluster.conf ] && return
  $as_root mkdir -p /etc/postgresql-common
  echo "create_main_cluster = false" |
    $as_root tee /etc/postgresql-common/createcluster.conf >/dev/null
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
  case " $* " in *" postgresql "*) without_a_database_server ;; esac
  {
    $as_root apt-get -qq update
    $as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get -qqy -o Dpkg::Use-Pty=0 install --no-install-recommends "$@"
  } || fail "The system's packages could not be installed: $*" "See the lines above."
}
