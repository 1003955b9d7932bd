# kube-proxy with the iptables it runs.
ARG DEBIAN=debian:bookworm-slim
FROM ${DEBIAN} AS packages
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends iptables \
 && rm -rf /var/lib/apt/lists/*

# All packages in one layer that deletes nothing: the file by which overlayfs marks a deletion would, put into the
# node's image together with containerd's store, delete there.
FROM scratch
COPY --from=packages / /
COPY kube-proxy /usr/local/bin/
