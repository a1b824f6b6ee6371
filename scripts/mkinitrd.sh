#!/bin/sh
# SPDX-License-Identifier: MIT
#
# mkinitrd.sh DIR OUT - pack the files below DIR into OUT, a newc CPIO archive.
#
# The same files always give the same bytes: names are sorted, owners are 0, permissions are 0755
# or 0644, inode numbers follow the order, and every time is SOURCE_DATE_EPOCH (default 0).
# `cpio -itv < OUT` lists it.
set -eu

usage='usage: mkinitrd.sh DIR OUT'
case "${1-}" in
-h | --help)
    echo "$usage"
    sed -n '4,8s/^# \{0,1\}//p' "$0"
    exit 0
    ;;
esac
[ $# -eq 2 ] || { echo "$usage" >&2; exit 2; }
[ -d "$1" ] || { echo "mkinitrd.sh: error: $1 is not a directory" >&2; exit 2; }
command -v cpio > /dev/null || { echo 'mkinitrd.sh: error: cpio is missing: apt-get install cpio' >&2; exit 3; }

umask 022
out=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
tree=$(mktemp -d)
trap 'rm -rf "$tree" "$out.tmp"' EXIT
trap 'exit 1' HUP INT TERM

# A copy, so that the source keeps its times and permissions.
cp -R -P "$1/." "$tree/"
cd "$tree"
find . ! -type l -exec chmod u=rwX,go=rX {} +
find . -exec touch -h -d "@${SOURCE_DATE_EPOCH:-0}" {} +
find . -mindepth 1 -print0 | sed -z 's|^\./||' | LC_ALL=C sort -z |
    cpio --quiet --reproducible -0 -o -H newc -R +0:+0 > "$out.tmp"
mv "$out.tmp" "$out"
