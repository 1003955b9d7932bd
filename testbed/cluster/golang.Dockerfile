# Go, with what the helpers import compiled already.
ARG DEBIAN=debian:trixie-slim
FROM ${DEBIAN}
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends ca-certificates \
 && rm -rf /var/lib/apt/lists/*
ENV GOTOOLCHAIN=local GOPATH=/go PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
ADD go.tar /usr/local/
ARG GOPROXY
COPY images/compile /usr/local/bin/
COPY helpers/ /helpers/
RUN compile imports /dev/null \
 && rm -r /helpers
