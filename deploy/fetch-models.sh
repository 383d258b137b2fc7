#!/usr/bin/env bash
# Fetches public models that are stronger than the bundled ones, checks their sha256 and makes model files of them. It shows
# the terms of each, and fetches nothing before they are accepted. Files that are already there are checked and kept.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

usage() {
  cat <<'TEXT'
Usage: deploy/fetch-models.sh [OPTIONS] [MODEL…]

  --accept-licences   you have read the terms of the named models and accept them
  --out DIR           where to put the files (default: models/ in the source folder)
  --list              list the models with their terms; the default without a MODEL
  -h, --help          show this text

It needs curl. facegate-train converts mobilefacenet-casia to a model file; if it is not built yet, it is built first.

Exit code: 0 everything is there, 1 a download failed or is not the expected file, 2 wrong usage or terms not accepted.

Examples:
  deploy/fetch-models.sh --list
  deploy/fetch-models.sh --accept-licences yunet mobilefacenet-casia
  deploy/quickstart.sh --weights models/mobilefacenet-casia.safetensors --detector models/yunet.onnx --photos people/
TEXT
}

models=(yunet mobilefacenet-casia)
declare -A url sha256 file terms makes
url[yunet]=https://raw.githubusercontent.com/ShiqiYu/libfacedetection.train/0047ac24afb1a50a0c6105001c89d1b5b805dbf1/onnx/yunet_n_dynamic.onnx
sha256[yunet]=104ee26c71d5c270ce79a6b3dced91c91013260d29a6bf18f9296c5b8c4c2b12
file[yunet]=yunet.onnx
makes[yunet]="a face detector with five landmarks, for detector_model"
terms[yunet]="Apache-2.0 (github.com/ShiqiYu/libfacedetection.train, LICENSE). Trained on WIDER FACE, whose photos are for
    research."
url[mobilefacenet-casia]=https://raw.githubusercontent.com/bubbliiiing/arcface-pytorch/0faafe28eba416738893f1426b15774cdaa6d3ab/model_data/arcface_mobilefacenet.pth
sha256[mobilefacenet-casia]=4c08e11a0a2bbf299910210da647c7d8105c348f4c533868e1710dbcf7b22480
file[mobilefacenet-casia]=arcface_mobilefacenet.pth
makes[mobilefacenet-casia]="a backbone with 128 values, LFW 98.5 %, as mobilefacenet-casia.safetensors"
terms[mobilefacenet-casia]="MIT (github.com/bubbliiiing/arcface-pytorch, LICENSE). Trained on CASIA-WebFace, whose photos are for research
    and non-commercial use."
# The smallest cosine that is a match: at most one in two thousand pairs of different people reaches it, by LFW's people
# (facegate-train calibrate; the upper bound of the false match rate is 0.0005).
casia_min_cosine=0.457

list() {
  local model
  for model in "${models[@]}"; do
    printf '%s\n    %s\n    from   %s\n    sha256 %s\n    terms  %s\n\n' "$model" "${makes[$model]}" "${url[$model]}" \
      "${sha256[$model]}" "${terms[$model]}"
  done
  cat <<'TEXT'
InsightFace's models (non-commercial research only): this version cannot import its ONNX packs (buffalo_l and so on).
Its PyTorch files (iresnet and MobileFaceNet of recognition/arcface_torch) are in its authors' cloud folders, which have no
address that a program may fetch and no published checksums. Once fetched by hand, they are imported with
    facegate-train import --preset insightface backbone.pth model.safetensors --default-min-cosine X
TEXT
}

accepted=false out="$root/models" wanted=()
while [ "$#" -gt 0 ]; do
  case "$1" in
    --accept-licences | --accept-licenses) accepted=true ;;
    --out)
      [ "$#" -ge 2 ] || { echo "fetch-models: --out needs a value" >&2; exit 2; }
      out=$2
      shift
      ;;
    --list) list; exit 0 ;;
    -h | --help) usage; exit 0 ;;
    -*) echo "fetch-models: unknown option $1; see --help" >&2; exit 2 ;;
    *)
      [[ " ${models[*]} " == *" $1 "* && "$1" != *" "* && -n "$1" ]] || { echo "fetch-models: unknown model $1; there are ${models[*]}" >&2; exit 2; }
      wanted+=("$1")
      ;;
  esac
  shift
done
[ "${#wanted[@]}" -gt 0 ] || { list; exit 0; }
for model in "${wanted[@]}"; do printf '%s\n    terms  %s\n' "$model" "${terms[$model]}" >&2; done
if ! $accepted; then
  echo "fetch-models: nothing was fetched; --accept-licences accepts these terms" >&2
  exit 2
fi

digest() { sha256sum "$1" | cut -d' ' -f1; }

fetch() { # fetch MODEL
  local model=$1 path="$out/${file[$1]}"
  if [ -f "$path" ] && [ "$(digest "$path")" = "${sha256[$model]}" ]; then
    echo "$path is already there"
    return
  fi
  command -v curl > /dev/null || { echo "fetch-models: FAIL curl is missing: apt-get install curl ca-certificates" >&2; exit 1; }
  echo "fetching $path"
  if ! curl --fail --location --retry 3 --connect-timeout 20 --max-time 1800 --output "$path.part" "${url[$model]}"; then
    rm -f "$path.part"
    echo "fetch-models: FAIL ${url[$model]} cannot be fetched" >&2
    exit 1
  fi
  if [ "$(digest "$path.part")" != "${sha256[$model]}" ]; then
    echo "fetch-models: FAIL ${url[$model]} has sha256 $(digest "$path.part"), expected ${sha256[$model]}; it was deleted" >&2
    rm -f "$path.part"
    exit 1
  fi
  mv "$path.part" "$path"
}

mkdir -p "$out"
for model in "${wanted[@]}"; do fetch "$model"; done
for model in "${wanted[@]}"; do
  [ "$model" = mobilefacenet-casia ] || continue
  trainer="$root/build/release/bin/facegate-train"
  if [ ! -x "$trainer" ]; then
    echo "the trainer, which converts the weights to a model file, is built first"
    if ! "$root/deploy/bootstrap.sh" || ! "$root/deploy/build.sh" facegate-train; then
      echo "fetch-models: FAIL the trainer cannot be built; the weights are in $out/${file[$model]}" >&2
      exit 1
    fi
  fi
  "$trainer" import --force --preset bubbliiiing --default-min-cosine "$casia_min_cosine" \
    "$out/${file[$model]}" "$out/$model.safetensors"
done
echo "fetch-models: everything is in $out"
