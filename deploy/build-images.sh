#!/usr/bin/env bash
# Builds the images localhost/touchbox/{nats,ingest,worker,touchbox}.
#
# The binaries are built on the host, static, and copied into empty images: no base image is
# needed, nothing is pulled. nats-server is built from the version of its Go module that go.mod
# pins, so the embedded server and the container are the same. The names begin with localhost so
# that nobody's public registry is asked for an image that has not been built.
#
#   TAG=dev          tag of all four images
#   VERSION=...      what `touchbox --version` says; from git when unset
#   GOARCH=...       for a Docker engine of another architecture
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tag=${TAG:-dev}
version=${VERSION:-$(git describe --tags --always --dirty 2>/dev/null || echo unknown)}
out=out/images
export CGO_ENABLED=0 GOOS=linux

docker version --format '{{.Server.Version}}' >/dev/null || { echo "build-images: no Docker engine answers" >&2; exit 1; }

# Without buildx a client that is told to use BuildKit refuses to build at all.
docker buildx version >/dev/null 2>&1 || export DOCKER_BUILDKIT=0

# build NAME PACKAGE: one static binary with the time zones inside (an empty image has none).
build() {
	echo "build-images: compiling $1" >&2
	go build -trimpath -buildvcs=false -tags timetzdata -o "$out/bin/$1" \
		-ldflags "-s -w -X github.com/touchbox/touchbox/cmd/internal/app.Version=$version" "$2"
}

# certificates prints where this machine keeps the authorities that TLS clients trust.
certificates() {
	local file
	for file in "${SSL_CERT_FILE:-}" /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
		if [ -f "$file" ]; then echo "$file"; return; fi
	done
	echo "build-images: no CA certificates found: install ca-certificates or set SSL_CERT_FILE" >&2
	return 1
}

# image NAME BINARY...: the build context out/images/NAME, and the image from it.
image() {
	local name=$1 context=$out/$1
	shift
	rm -rf "$context"
	mkdir -p "$context/empty" "$context/rootfs/etc/ssl/certs"
	for binary in "$@"; do cp "$out/bin/$binary" "$context/rootfs/"; done
	echo "touchbox:x:65532:65532::/:/" >"$context/rootfs/etc/passwd"
	echo "touchbox:x:65532:" >"$context/rootfs/etc/group"
	cp "$ca" "$context/rootfs/etc/ssl/certs/ca-certificates.crt"
	cp deploy/nats-compose.conf deploy/nats-users.conf "$context/"
	# The old builder says at each image that it is old.
	docker build -q -t "localhost/touchbox/$name:$tag" -f "deploy/images/$name.Dockerfile" "$context" 2>"$out/said" >/dev/null || { cat "$out/said" >&2; return 1; }
	echo "localhost/touchbox/$name:$tag"
}

ca=$(certificates)
build ingest ./cmd/ingest
build worker ./cmd/worker
build touchbox ./cmd/touchbox
build nats-server github.com/nats-io/nats-server/v2

image nats nats-server touchbox
image ingest ingest
image worker worker
image touchbox touchbox
