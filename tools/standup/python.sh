#!/bin/sh
# Runs one of the tools: python.sh COMMAND [ARGUMENT...].
# Takes a Python 3.11 or newer that every account of the machine can execute: Debian's own first, because an
# interpreter in somebody's home cannot run the daemons, which have accounts of their own.
set -eu
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
new_enough='import sys; sys.exit(sys.version_info < (3, 11))'
find_python() {
  for python in ${NOVA_TOOLS_PYTHON:-} /usr/bin/python3 /usr/bin/python3.13 /usr/bin/python3.12 /usr/bin/python3.11 \
      /usr/local/bin/python3 "$(command -v python3 || true)"; do
    if [ -x "$python" ] && "$python" -c "$new_enough" 2>/dev/null; then return 0; fi
  done
  return 1
}
if ! find_python; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing python3 ..." >&2
    apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends python3 >/dev/null
  fi
  find_python || { echo "Python 3.11 or newer is needed" >&2; exit 1; }
fi
exec "$python" -B "$here" "$@"
