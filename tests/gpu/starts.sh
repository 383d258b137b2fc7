#!/usr/bin/env bash
# Starts each program of the package and says how it went; exits 1 where one does not start. It needs a C library, a shell and
# LibTorch's folder, nothing else: deploy/gpu-check.sh --here runs it where there is nothing else.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
failed=0

judge() { # judge NAME OUTPUT CODE
  if [ "$3" -eq 0 ]; then
    printf 'ok    %s\n' "$1"
  else
    printf 'FAIL  %s: %s\n' "$1" "$2"
    failed=1
  fi
}

for file in bin/* tests/gpu_* lib/facegate/*.so; do
  missing=$(./run ldd "$file" 2>&1 | grep -e 'not found' -e 'No such file')
  [ -z "$missing" ]
  judge "libraries of $file" "$missing" "$?"
done
for program in bin/*; do
  said=$(./run "$program" --help 2>&1 >/dev/null)
  judge "$program --help" "$said" "$?"
done
# Its commands are in a module, which it opens with LibTorch.
said=$(./run bin/facegate-train bench --help 2>&1 >/dev/null)
judge "bin/facegate-train bench --help" "$said" "$?"
for test in tests/gpu_*; do
  said=$(./run "$test" --gtest_list_tests 2>&1)
  judge "$test --gtest_list_tests" "${said: -300}" "$?"
done
# It opens the module that searches on cards, and asks for a card that there is not.
if [ -e tests/gpu_search_test ]; then
  said=$(./run tests/gpu_search_test --gtest_filter='OpenSearchCardTest.*' 2>&1)
  judge "lib/facegate/facegate-card-search.so opens" "${said: -300}" "$?"
fi
# It loads the bundled model with LibTorch, and writes its port once it serves.
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
./run bin/facegate-server --model models/default.safetensors --data_dir "$work/data" --listen 127.0.0.1:0 \
  --port_file "$work/port" --device cpu --detector none >"$work/log" 2>&1 &
server=$!
for _ in $(seq 300); do
  [ -s "$work/port" ] && break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.1
done
[ -s "$work/port" ]
judge "bin/facegate-server serves" "$(tail -n 3 "$work/log")" "$?"
kill "$server" 2>/dev/null
wait "$server" 2>/dev/null
exit "$failed"
