module podpatterns.dev/runc-capped

go 1.26
