#!/usr/bin/env bash
# From a fresh Debian 12 machine to the main job: installs what is missing, builds, takes the bundled model or imports
# another, enrols people from photos, identifies and verifies other photos, restarts the server and asks again. Ends in
# "quickstart: PASS" or "quickstart: FAIL …".
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

usage() {
  cat <<'TEXT'
Usage: deploy/quickstart.sh [OPTIONS]

On a fresh machine with two cores it takes about ten minutes: it installs packages (224 MB to fetch, 1.1 GB on disk) and
builds (2 GB). Once that is done it takes half a minute.

It needs nothing but the source: without options, the bundled model (deploy/models/default.safetensors) recognises people
who do not exist. They are drawn by this project and are not among those that the model was trained on.

  --photos DIR      a folder that holds a folder of photos for each person. People with two or more photos are enrolled
                    with one photo and looked up with another; some are left out as strangers
  --weights FILE    other weights: a PyTorch .pth, or a .safetensors model file with its card
  --preset NAME     how faces are prepared for these weights (facegate-train import --help)
  --min-cosine X    the smallest cosine at which two faces are the same person. A .pth other than the public file that
                    deploy/fetch-models.sh names needs both --preset and --min-cosine
  --detector FILE   the YuNet ONNX file; without it, a cascade of the package opencv-data and the bundled landmark network
                    find the faces
  --people N        number of people to enrol, and of strangers to look up (default 20)
  --sheet FILE      where to draw who was found (default build/quickstart/found.png)
  --keep DIR        keep the photos, the model, the gallery and the server's log in a new folder below DIR
  -h, --help        show this text

If FACEGATE_DATA names a folder, what is not given is looked for in it:
  weights/arcface_mobilefacenet.pth   lfw/photos/   detectors/yunet_n_dynamic.onnx

Exit code: 0 PASS, 1 FAIL, 2 wrong usage or a missing file.

Examples:
  deploy/quickstart.sh
  deploy/quickstart.sh --photos people/
  FACEGATE_DATA=~/facegate-data deploy/quickstart.sh
  deploy/quickstart.sh --weights arcface_mobilefacenet.pth --photos people/
TEXT
}

weights="" preset="" min_cosine="" photos="" detector="" people=20 sheet="$root/build/quickstart/found.png" keep=""
while [ "$#" -gt 0 ]; do
  case "$1" in
    --weights | --preset | --min-cosine | --min_cosine | --photos | --detector | --people | --sheet | --keep)
      [ "$#" -ge 2 ] || { echo "quickstart: $1 needs a value" >&2; exit 2; }
      case "$1" in --people) [[ "$2" =~ ^[1-9][0-9]{0,3}$ ]] || { echo "quickstart: --people takes a number from 1 to 9999" >&2; exit 2; } ;; esac
      option=${1#--}
      declare "${option//-/_}=$2"
      shift 2
      ;;
    -h | --help) usage; exit 0 ;;
    *) echo "quickstart: unknown option $1; see --help" >&2; exit 2 ;;
  esac
done

# The smallest cosine at which the known weights take two faces for one person: at most one in two thousand pairs of
# different people reaches it, by LFW's people. Other weights need another one, so it is not part of the preset.
known_min_cosine=0.457
known_weights=4c08e11a0a2bbf299910210da647c7d8105c348f4c533868e1710dbcf7b22480
from_data() { # from_data CURRENT PATH-BELOW-FACEGATE_DATA
  if [ -n "$1" ]; then printf '%s' "$1"
  elif [ -n "${FACEGATE_DATA:-}" ] && [ -e "$FACEGATE_DATA/$2" ]; then printf '%s' "$FACEGATE_DATA/$2"
  fi
}
weights=$(from_data "$weights" weights/arcface_mobilefacenet.pth)
bundled=""
if [ -z "$weights" ]; then
  weights="$root/deploy/models/default.safetensors"
  [ -n "$min_cosine" ] || bundled=--bundled # main_job.py then uses the cosine that suits drawn people
fi
photos=$(from_data "$photos" lfw/photos)
detector=$(from_data "$detector" detectors/yunet_n_dynamic.onnx)

missing=false
[ -f "$weights" ] || { echo "quickstart: no weights at $weights" >&2; missing=true; }
[ -z "$photos" ] || [ -d "$photos" ] || { echo "quickstart: no folder of photos at $photos" >&2; missing=true; }
[ -z "$detector" ] || [ -f "$detector" ] || { echo "quickstart: no detector at $detector" >&2; missing=true; }
case "${sheet,,}" in
  *.png | *.jpg | *.jpeg | *.webp | *.bmp) ;;
  *) echo "quickstart: --sheet needs the name of a picture, such as found.png" >&2; missing=true ;;
esac
if $missing; then
  echo "quickstart: nothing was run (exit code 2)" >&2
  exit 2
fi
if [ "$(sha256sum "$weights" | cut -d' ' -f1)" = "$known_weights" ]; then
  : "${preset:=bubbliiiing}" "${min_cosine:=$known_min_cosine}"
elif [[ "$weights" != *.safetensors ]]; then
  if [ -z "$preset" ] || [ -z "$min_cosine" ]; then
    echo "quickstart: $weights is not the public file (its sha256 differs): say with --preset how its faces are aligned," \
      "and with --min-cosine what counts as a match" >&2
    exit 2
  fi
fi
weights=$(realpath "$weights") sheet=$(realpath -m "$sheet")
[ -z "$photos" ] || photos=$(realpath "$photos")
[ -z "$detector" ] || detector=$(realpath "$detector")

fail() { echo "quickstart: FAIL $*"; exit 1; }
step() { printf '\n== %s\n' "$*"; }

step "packages"
"$root/deploy/bootstrap.sh" || fail "packages"

step "build"
"$root/deploy/build.sh" facegate-server facegate-train facegate || fail "build"

if [ -n "$keep" ]; then
  mkdir -p "$keep"
  work=$(mktemp -d "$(realpath "$keep")/run.XXXXXX")
  echo "keeping everything in $work"
else
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
fi

step "model"
# The card is long: what it says of training and accuracy is left to the command that is named below.
"$root/build/release/bin/facegate-train" import --force ${preset:+--preset "$preset"} \
  ${min_cosine:+--default-min-cosine "$min_cosine"} "$weights" "$work/model.safetensors" > "$work/model.txt" ||
  fail "import of the weights"
grep -E '^(architecture|embedding size|licence|default min cosine) ' "$work/model.txt" || cat "$work/model.txt"
echo "its whole card: build/release/bin/facegate-train summary ${weights#"$root/"}"

step "main job"
mkdir -p "$(dirname "$sheet")"
/usr/bin/python3 "$root/deploy/main_job.py" --bin "$root/build/release/bin" --model "$work/model.safetensors" $bundled \
  --people "$people" --work "$work" --sheet "$sheet" ${photos:+--photos "$photos"} ${detector:+--detector "$detector"} ||
  exit 1
