#!/bin/sh
# Builds the fuzzer of the expander into OUT.
#
#   tests/fuzz/build.sh OUT              gcc with the sanitizers and our own mutations
#   CC=clang tests/fuzz/build.sh OUT     libFuzzer
#   CC=afl-clang-fast ...                AFL++
#
# The first one takes: OUT SEED RUNS SECONDS WHERE-A-FINDING-GOES tests/fuzz/corpus/*
# The others take what libFuzzer and AFL++ do, for example: OUT -max_len=16384 tests/fuzz/corpus
set -eu
here=$(cd "$(dirname "$0")" && pwd)
csrc=$here/../../csrc
out=$1
objects=$(mktemp -d)
trap 'rm -rf "$objects"' EXIT
flags="-std=gnu11 -g -O1 -fno-omit-frame-pointer"
flags="$flags -fsanitize=address,undefined -fno-sanitize-recover=undefined"
driver=
case ${CC:-gcc} in
*clang*) flags="$flags -fsanitize=fuzzer" ;;
*) driver=$here/mutate.c ;;
esac
for source in "$csrc"/expand*.c "$csrc"/journal_read.c "$csrc"/cbor.c; do
    # Where the fuzzer itself is built in, what is covered is only the code under test.
    ${CC:-gcc} $flags -I"$csrc" ${driver:+-fsanitize-coverage=trace-pc} -c "$source" \
        -o "$objects/$(basename "$source").o"
done
${CC:-gcc} $flags -I"$csrc" "$here/expand_target.c" ${driver:+"$driver"} "$objects"/*.o -lm -o "$out"
