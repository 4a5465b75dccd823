#!/usr/bin/env bash
# The whole job on a real sample: folder -> data set -> model -> prediction -> report. `make demo` calls it.
# What an earlier run left is used; after Ctrl-C the same command goes on where it stopped.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=examples/hippocampus
export ISOCENTER_STORE=demo/store
mkdir -p demo

step() {
  printf '\n\033[1m$ isocenter %s\033[0m\n' "$*"
  .venv/bin/isocenter "$@"
}

step ingest "$here" --as msd --dataset hippocampus-sample
step check hippocampus-sample
step plan "$here/recipe.toml" --data hippocampus-sample
step train "$here/recipe.toml" --data hippocampus-sample
step evaluate latest --data hippocampus-sample
step scan "$here/study"
step predict latest "$here/study" --out demo/result
step report demo/result --formats html,pdf --lang zh,en
step verify demo/result
printf '\nThe report lies at %s (and report.zh.html). Not for clinical use.\n' "$PWD/demo/result/report.en.html"
