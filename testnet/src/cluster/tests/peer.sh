#!/bin/sh
# Stands for a peer: says how it was started, then lives until its standard input ends or, when it
# was left to itself, for ten minutes.
echo "started: $*"
case "$*" in
*--exit-on-stdin-close*) exec cat >/dev/null ;;
*) exec sleep 600 ;;
esac
