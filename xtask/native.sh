#!/usr/bin/env bash
# Installs what only the RocksDB store needs: a C++ compiler, and libclang for its bindings.
set -euo pipefail

missing=()
command -v c++ >/dev/null || missing+=(g++)
# Not libclang-cpp, which Debian's gcc images bring along.
if ! compgen -G '/usr/lib/llvm-*/lib/libclang.so*' >/dev/null &&
    ! compgen -G '/usr/lib/*/libclang-[0-9]*.so*' >/dev/null; then
    missing+=(libclang-dev)
fi
[ ${#missing[@]} -eq 0 ] && exit 0

install="apt-get install -y --no-install-recommends ${missing[*]}"
if [ "$(id -u)" -eq 0 ]; then
    as_root=""
elif sudo -n true 2>/dev/null; then
    as_root="sudo"
else
    echo "missing: ${missing[*]}; run: sudo apt-get update && sudo $install" >&2
    exit 1
fi
echo "installing ${missing[*]} ..."
DEBIAN_FRONTEND=noninteractive $as_root apt-get update -q >/dev/null
DEBIAN_FRONTEND=noninteractive $as_root $install >/dev/null
