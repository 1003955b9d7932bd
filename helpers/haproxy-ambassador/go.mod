module podpatterns.dev/haproxy-ambassador

go 1.26.0
