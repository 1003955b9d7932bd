module podpatterns.dev/pause

go 1.26
