#!/usr/bin/env bash
# Compiles the kernels to PTX that every driver since CUDA 12.0 takes.
#
#   compile.sh [-o DIRECTORY] [NAME...]    default: all, into ../resources/ptx
#
# NAME.cu becomes NAME.ptx for compute capability 7.5 and up. A line "// targets: sm_75 sm_80" in it asks for a further
# NAME.sm_80.ptx. nvcc 13 writes a .version that only the newest drivers know; it is lowered to the first one that has
# the target, and ptxas confirms that nothing newer was used.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
output=$here/../resources/ptx
if [ "${1:-}" = -o ]; then
    output=$2
    shift 2
fi
mkdir -p "$output"
output=$(cd "$output" && pwd)
cd "$here"
[ $# -gt 0 ] || set -- $(ls ./*.cu | sed 's|^\./||; s|\.cu$||')

declare -A versions=([sm_75]=6.5 [sm_80]=7.0 [sm_90]=7.8)
for name in "$@"; do
    targets=$(sed -n 's|^// targets: ||p' "$name.cu")
    for target in ${targets:-sm_75}; do
        file=$name.ptx
        [ "$target" = sm_75 ] || file=$name.$target.ptx
        nvcc -ptx -O3 -std=c++17 -arch="compute_${target#sm_}" -o "$output/$file.new" "$name.cu"
        # Comments of the compiler hold versions and paths.
        sed -i -e '/^\/\//d' -e "s|^\.version .*|.version ${versions[$target]}|" "$output/$file.new"
        ptxas -arch="$target" -o /dev/null "$output/$file.new"
        mv "$output/$file.new" "$output/$file"
    done
done
