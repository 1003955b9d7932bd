package serve

import (
	"net/http"
	"net/netip"
)

// Local shows pages to clients on the loopback interface alone, which is that of the Pod: to its containers, and through
// kubectl port-forward.
func Local(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil || !from.Addr().Unmap().IsLoopback() {
			http.Error(w, "only for the Pod itself: use kubectl port-forward", http.StatusForbidden)
			return
		}
		pages.ServeHTTP(w, r)
	})
}
