#!/bin/sh
# check_libraries.sh PROGRAM: fails when PROGRAM needs a shared library other than libc and libm.
set -eu
libraries=$(ldd "$1")
others=$(printf '%s\n' "$libraries" | grep -vE 'linux-vdso|ld-linux|lib(c|m)\.so' || true)
if [ -n "$others" ]; then
  printf 'error: %s needs more than the C library:\n%s\n' "$1" "$others" >&2
  exit 1
fi
