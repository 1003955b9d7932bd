package names

import (
	"context"
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

func TestAbsolute(t *testing.T) {
	there := map[string]bool{"redis.shop.svc.cluster.local": true}
	resolver := NewResolver(search(t, pod), func(_ context.Context, name string) bool { return there[name] })
	text := "listen redis\n    server-template redis-6379- 16 redis:6379 check\n    server-template late-1- 16 late:1\n    server 10.0.0.1:1 10.0.0.1:1\n"
	got, unknown := resolver.Absolute(t.Context(), text)
	want := strings.Replace(text, " redis:6379", " redis.shop.svc.cluster.local:6379", 1)
	if got != want || !slices.Equal(unknown, []string{"late"}) {
		t.Errorf("%s %q", got, unknown)
	}

	there["late.svc.cluster.local"] = true
	got, unknown = resolver.Absolute(t.Context(), text)
	if want = strings.Replace(want, " late:1", " late.svc.cluster.local:1", 1); got != want || len(unknown) > 0 {
		t.Errorf("%s %q", got, unknown)
	}
}
