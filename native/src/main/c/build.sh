#!/bin/sh
# Compiles the stand-ins for libcuda.so.1 and libcublas.so.12.
# usage: build.sh FOLDER
# Where there is no C compiler it says so, and the tests that need them say so again.
set -eu
mkdir -p "$1"
out=$(cd "$1" && pwd)
cd "$(dirname "$0")"
compiler=
for candidate in ${CC:-cc gcc clang}; do
    if command -v "$candidate" > /dev/null; then
        compiler=$candidate
        break
    fi
done
if [ -z "$compiler" ]; then
    echo "No C compiler (cc, gcc, clang, or the one that CC names): no stand-in for CUDA's libraries, so what is" \
        "tested through them is not tested here." >&2
    exit 0
fi

# NVIDIA's headers, where there are any, so that the compiler checks every signature.
headers=
for home in "${CUDA_HOME:-}" "${CUDA_PATH:-}" /usr/local/cuda /opt/cuda; do
    if [ -n "$home" ] && [ -f "$home/include/cuda.h" ]; then
        headers=-I$home/include
        break
    fi
done

flags="-std=c11 -O1 -fPIC -Wall -Wextra -fvisibility=default $headers"
# Built aside and renamed: another process may have the old ones loaded.
part=$out/part.$$
mkdir "$part"
trap 'rm -rf "$part"' EXIT
"$compiler" $flags -c cuda.c -o "$part/cuda.o"
"$compiler" $flags -c cublas.c -o "$part/cublas.o"
"$compiler" -std=c11 -fPIC -DSYMBOLS='"driver-symbols.def"' -DSTATUS=801 -c unsupported.c -o "$part/cuda-rest.o"
"$compiler" -std=c11 -fPIC -DSYMBOLS='"cublas-symbols.def"' -DSTATUS=15 -c unsupported.c -o "$part/cublas-rest.o"
"$compiler" -shared -Wl,-soname,libcuda.so.1 -o "$part/libcuda.so.1" "$part/cuda.o" "$part/cuda-rest.o"
# JCuda's bindings want the symbols under this version.
"$compiler" -shared -Wl,-soname,libcublas.so.12 -Wl,--version-script,libcublas.map -o "$part/libcublas.so.12" \
    "$part/cublas.o" "$part/cublas-rest.o"
mv "$part/libcuda.so.1" "$part/libcublas.so.12" "$out/"
