#!/usr/bin/env bash
# What the parts of the default recipe are worth: trains it whole and without each of three parts, for a short time, and
# measures each model on LFW with given landmarks.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)

usage() {
  cat <<'TEXT'
Usage: deploy/recipes/ablation.sh WORK [EPOCHS]

Runs are written to folders in WORK, and resume if they were stopped. EPOCHS (default 1) is the length of each; the recipe
has 12. One epoch of all four takes half an hour on two cores. Needs a build (deploy/build.sh facegate-train) and
FACEGATE_DATA (train/, weights/arcface_mobilefacenet.pth, lfw/).

Example: FACEGATE_DATA=~/facegate-data deploy/recipes/ablation.sh /tmp/ablation
TEXT
}

case "${1:-}" in
  -h | --help) usage; exit 0 ;;
  "") usage >&2; exit 2 ;;
esac
work=$(realpath -m "$1") epochs=${2:-1}
data=${FACEGATE_DATA:?"must name the folder with train/, weights/ and lfw/; see --help"}
program="$root/build/release/bin/facegate-train"
mkdir -p "$work"
[ -f "$work/teacher.safetensors" ] ||
  "$program" import --preset bubbliiiing "$data/weights/arcface_mobilefacenet.pth" "$work/teacher.safetensors"

run() { # run NAME [SECTION.KEY=VALUE...]
  local name=$1 settings=()
  shift
  for setting in "schedule.epochs=$epochs" "data.root=$data/train" "teacher.model=$work/teacher.safetensors" "$@"; do
    settings+=(--set "$setting")
  done
  printf '\n== %s\n' "$name"
  [ -f "$work/$name/model.safetensors" ] ||
    "$program" fit "$work/$name" --recipe "$root/deploy/recipes/default.yaml" "${settings[@]}"
  "$program" eval "$work/$name/model.safetensors" --photos "$data/lfw/photos" --pairs "$data/lfw/pairs.txt" \
    --landmarks "$data/lfw/landmarks.txt"
}

run whole
run no_distillation teacher.model= teacher.map_weight=0 augment.blend=0 'data.unlabelled=[]'
run no_synthetic synthetic.identities=0
run no_augmentation augment.blend=0 augment.crop=0 augment.crop_shift=0 augment.crop_zoom=0 augment.crop_turn=0 \
  augment.photometric=0 augment.low_resolution=0 augment.grey=0 augment.erase=0
