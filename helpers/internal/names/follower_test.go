package names

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"
)

var one, two = netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")

func none(name string) error { return &net.DNSError{Err: "no such host", Name: name, IsNotFound: true} }

func TestLookupTakesTheFirstCandidateWithAddresses(t *testing.T) {
	six := netip.MustParseAddr("fd00::1")
	found, err := lookup(t.Context(), func(_ context.Context, family, name string) ([]netip.Addr, error) {
		if family == "ip6" && name == "web.svc" {
			return []netip.Addr{six}, nil
		}
		return nil, none(name)
	}, []string{"web.shop", "web.svc", "web"})
	if err != nil || found.name != "web.svc" || !slices.Equal(found.addresses, []netip.Addr{six}) {
		t.Error(found, err)
	}
}

// The name after one that got no answer may be somebody else's.
func TestLookupEndsAtACandidateThatGotNoAnswer(t *testing.T) {
	for _, lost := range []string{"ip4", "ip6"} {
		found, err := lookup(t.Context(), func(_ context.Context, family, name string) ([]netip.Addr, error) {
			switch {
			case name == "web":
				return []netip.Addr{one}, nil
			case family == lost:
				return nil, &net.DNSError{Err: "i/o timeout", IsTimeout: true}
			}
			return nil, none(name)
		}, []string{"web.shop", "web"})
		if err == nil {
			t.Error(lost, found)
		}
	}
}

func TestAnAddressIsGivenUpWhenDNSGoesWithoutItForAWhile(t *testing.T) {
	h := &host{absent: map[netip.Addr]time.Time{}}
	start := time.Now()
	both, first := answer{"web", []netip.Addr{one, two}}, answer{"web", []netip.Addr{one}}
	for _, step := range []struct {
		after   time.Duration
		answer  answer
		changed bool
		known   int
	}{
		{0, both, true, 2},
		{time.Second, first, false, 2},
		{2 * time.Second, both, false, 2}, // it was one of many
		{3 * time.Second, first, false, 2},
		{3*time.Second + hold, first, true, 1},
		{time.Hour, answer{}, false, 1},
		{time.Hour + hold, answer{}, true, 0},
	} {
		if changed := h.see(step.answer, start.Add(step.after)); changed != step.changed || len(h.absent) != step.known {
			t.Error(step, changed, h.absent)
		}
	}
}

func TestWhileDNSFailsTheAddressesStay(t *testing.T) {
	h := &host{absent: map[netip.Addr]time.Time{}}
	f := NewFollower(Search{}, nil, slog.New(slog.DiscardHandler))
	f.hosts["web"] = h
	f.tell("web", h, answer{"web", []netip.Addr{one}}, nil)
	for range 100 {
		f.tell("web", h, answer{}, errors.New("timeout"))
	}
	if got := f.Addresses("web"); !slices.Equal(got, []netip.Addr{one}) {
		t.Error(got)
	}
}
