#!/usr/bin/env bash
# Runs a program of the package with its own libraries and the LibTorch of this machine's Python:
#   ./run bin/facegate-server --help
# FACEGATE_TORCH_SITE names the folder that holds torch/ and nvidia/, PYTHON the interpreter that knows it otherwise.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

site=${FACEGATE_TORCH_SITE:-}
if [ -z "$site" ]; then
  site=$("${PYTHON:-python3}" -c 'import importlib.util as u; print(u.find_spec("torch").submodule_search_locations[0])' \
    2>/dev/null) || { echo "run: ${PYTHON:-python3} has no torch; install torch==2.11.0, or set PYTHON" >&2; exit 1; }
  site=$(dirname "$site")
fi
libraries=$here/lib:$site/torch/lib
for folder in "$site"/nvidia/*/lib; do libraries+=:$folder; done
export LD_LIBRARY_PATH=$libraries:$here/lib/last
exec "$@"
