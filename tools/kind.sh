#!/usr/bin/env bash
# Brings up kind with the images and the chart; prints the kubeconfig's path. Needs docker, kind, helm and kubectl, and
# Go for the object store's binary. Everything else of the demo is the same as on the dev cluster.
# With TREASURY=FILE the treasury is installed as well, with the values of that file (examples/treasury-values.yaml).
set -euo pipefail
cd "$(dirname "$0")/.."

cluster=${KIND_CLUSTER:-parpour}
base=${BASE_IMAGE:-python:3.11-bookworm}
kubeconfig=$PWD/.artifacts/kind-$cluster.kubeconfig
only=() values=(--values .artifacts/kind-values.json)
if [[ -n ${TREASURY:-} ]]; then
    for image in parpour-operator civlab-worker parpour-nats parpour-s3 parpour-api parpour-postgres; do
        only+=(--only "$image")
    done
    values+=(--values "$TREASURY")
fi

for program in docker kind helm kubectl; do
    command -v "$program" >/dev/null || {
        echo "KIND_PROGRAM_MISSING: $program is not installed; without Docker run: make demo" >&2
        exit 1
    }
done

mkdir -p .artifacts
kind get clusters 2>/dev/null | grep -qx "$cluster" || kind create cluster --name "$cluster" --wait 120s >&2
kind get kubeconfig --name "$cluster" >"$kubeconfig"

# One line an image: name, tag, folder of the Containerfile, digests of what is bind-mounted, context.
.venv/bin/python tools/images.py context "${only[@]}" | while read -r name tag folder dependencies members context; do
    if ! docker image inspect "$name:$tag" >/dev/null 2>&1; then
        docker build --network=none --file "images/$folder/Containerfile" --tag "$name:$tag" \
            --build-arg "BASE_IMAGE=$base" --build-arg "DEPENDENCIES_DIGEST=$dependencies" \
            --build-arg "MEMBERS_DIGEST=$members" "$context" >&2
    fi
    kind load docker-image --name "$cluster" "$name:$tag" >&2
done

.venv/bin/python tools/images.py values "${only[@]}" >.artifacts/kind-values.json
helm upgrade --install parpour charts/parpour --kubeconfig "$kubeconfig" --namespace parpour-system \
    --create-namespace "${values[@]}" --wait --timeout 300s >&2
echo "$kubeconfig"
