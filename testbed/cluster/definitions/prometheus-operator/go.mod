module podpatterns.dev/testbed/cluster/definitions/prometheus-operator

go 1.26.0

// Not built: only the definitions in it are used, so nothing that it requires is fetched.
require github.com/prometheus-operator/prometheus-operator v0.89.0
