#!/usr/bin/env bash
# Builds one image for skaffold, which names it in $IMAGE.
set -euo pipefail
cd "$(dirname "$0")/.."
read -r _ _ folder dependencies members context < <(.venv/bin/python tools/images.py context --only "$1")
docker build --network=none --file "images/$folder/Containerfile" --tag "${IMAGE:?skaffold names the image}" \
    --build-arg "BASE_IMAGE=${BASE_IMAGE:-python:3.11-bookworm}" --build-arg "DEPENDENCIES_DIGEST=$dependencies" \
    --build-arg "MEMBERS_DIGEST=$members" "$context"
