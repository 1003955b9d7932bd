# The node with the images of Kubernetes unpacked in containerd's store, so that a cluster starts without a registry.
ARG NODE
FROM ${NODE}
ADD store.tar /var/lib/containerd/
