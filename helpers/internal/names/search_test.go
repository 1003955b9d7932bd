package names

import (
	"slices"
	"strings"
	"testing"
)

const pod = "nameserver 10.96.0.10\nsearch shop.svc.cluster.local svc.cluster.local cluster.local\noptions edns0 ndots:5\n"

func search(t *testing.T, text string) Search {
	t.Helper()
	s, err := ParseSearch(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestCandidates(t *testing.T) {
	for _, c := range []struct {
		resolv, name string
		want         []string
	}{
		{pod, "redis", []string{"redis.shop.svc.cluster.local", "redis.svc.cluster.local", "redis.cluster.local", "redis"}},
		{pod, "a.b.c.d.e.f", []string{"a.b.c.d.e.f", "a.b.c.d.e.f.shop.svc.cluster.local", "a.b.c.d.e.f.svc.cluster.local", "a.b.c.d.e.f.cluster.local"}},
		{pod, "api.example.com.", []string{"api.example.com"}},
		{"search .\n", "redis", []string{"redis"}},
		{"search example.com", "a.b", []string{"a.b", "a.b.example.com"}},
		{"", "redis", []string{"redis"}},
	} {
		if got := search(t, c.resolv).Candidates(c.name); !slices.Equal(got, c.want) {
			t.Errorf("%q in %q: %q, want %q", c.name, c.resolv, got, c.want)
		}
	}
}
