#!/bin/sh
# instrumented_caf.sh DIR JOBS: makes DIR/lib/libcaf_core.so and libcaf_io.so there, with the thread sanitizer. Those of
# the package hide from it how actors hand over messages, so everything in a message would look like a race. The headers
# stay those of the package.
set -eu
dir=$1 jobs=$2
version=0.17.6
sum=e2bf5bd243f08bb7d8adde197cfe3e6d71314ed3378fe0692f8932f4c3b3928c
[ ! -f "$dir/lib/libcaf_io.so" ] || exit 0
grep -qs '^#define CAF_VERSION 1706$' /usr/include/caf/config.hpp || {
  echo "instrumented_caf.sh: CAF $version is not installed; other versions are not supported" >&2
  exit 1
}
rm -rf "$dir"
mkdir -p "$dir/source"
# The package's source lies beside it.
pool=$(apt-get --print-uris download libcaf-dev | sed -n "s,^'\(.*\)/[^/]*' .*,\1,p")
url=$pool/actor-framework_$version.orig.tar.gz
curl -fsSL --retry 3 -o "$dir/source.tar.gz" "$url"
echo "$sum  $dir/source.tar.gz" | sha256sum --check --quiet
tar -xzf "$dir/source.tar.gz" -C "$dir/source" --strip-components 1
# One of its headers needs <limits> and does not include it.
cmake -G Ninja -S "$dir/source" -B "$dir" -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O1 -g1" \
  -DCMAKE_CXX_FLAGS="-std=c++17 -w -include limits -fsanitize=thread -fno-omit-frame-pointer" -DCAF_LOG_LEVEL=QUIET \
  -DCAF_NO_UNIT_TESTS=yes -DCAF_NO_EXAMPLES=yes -DCAF_NO_TOOLS=yes -DCAF_NO_OPENSSL=yes -DCAF_NO_OPENCL=yes \
  -DCAF_NO_PYTHON=yes >"$dir/log" 2>&1
cmake --build "$dir" --parallel "$jobs" --target libcaf_core_shared libcaf_io_shared
