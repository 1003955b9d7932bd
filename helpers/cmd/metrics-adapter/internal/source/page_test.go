package source

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/spec"
)

func put(t *testing.T, content string, path ...string) {
	t.Helper()
	file := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func block(kind string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

// The application wants to know who asks; a Secret that changes is followed, and nothing that it holds is told.
func TestAPageBehindCredentials(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	app := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		body, _ := io.ReadAll(r.Body)
		if len(r.TLS.PeerCertificates) != 1 || user != "me" || password != "s3cret" || r.Header.Get("Tenant") != "a b" || r.Method != "POST" || string(body) != "{}" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusTeapot)
		fmt.Fprint(w, "{}")
	}))
	app.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	app.StartTLS()
	defer app.Close()
	secrets := t.TempDir()
	p := newPage(&spec.HTTP{
		URL: app.URL + "/?token=s3cret", Body: "{}", ValidStatuses: []int{200, 418},
		HeadersSecretRef: spec.SecretKeyRef{Name: "headers", Key: "all"}, CASecretRef: spec.SecretKeyRef{Name: "ca", Key: "ca.crt"},
		BasicAuthSecret: "user", ClientCertificateSecret: "client",
	}, Place{Secrets: secrets}, "*/*")
	fails := func(why string) {
		t.Helper()
		if _, err := p.fetch(t.Context()); err == nil || !strings.Contains(err.Error(), why) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v, and not %s", err, why)
		}
	}
	fails("no such file")
	put(t, "tenant=a%20b\n", secrets, "headers", "all")
	put(t, "me\n", secrets, "user", "username")
	put(t, "wrong", secrets, "user", "password")
	fails("no such file")
	put(t, block("CERTIFICATE", app.Certificate().Raw), secrets, "ca", "ca.crt")
	put(t, block("CERTIFICATE", der), secrets, "client", "tls.crt")
	put(t, block("PRIVATE KEY", keyDER), secrets, "client", "tls.key")
	fails("the answer is 401")
	put(t, "s3cret\n", secrets, "user", "password")
	if body, err := p.fetch(t.Context()); err != nil || string(body) != "{}" {
		t.Errorf("%s, %v", body, err)
	}
	app.Close()
	fails("")
}

func TestAPageOnAUnixSocket(t *testing.T) {
	volumes := t.TempDir()
	put(t, "", volumes, "run", "x")
	listener, err := net.Listen("unix", filepath.Join(volumes, "run", "app.sock"))
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host, r.URL.Path) })}
	go func() { _ = server.Serve(listener) }()
	defer server.Close()
	p := newPage(&spec.HTTP{URL: "http://app/stats", Socket: &spec.Log{Volume: "run", Path: "app.sock"}}, Place{Volumes: volumes}, "*/*")
	if body, err := p.fetch(t.Context()); err != nil || string(body) != "app/stats" {
		t.Errorf("%s, %v", body, err)
	}
}

func TestARedirectLeavesNoServer(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked, with %v", r.Header) }))
	defer other.Close()
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/here":
			http.Redirect(w, r, "/there/", http.StatusMovedPermanently)
		case "/there/":
			fmt.Fprint(w, "{}")
		default:
			http.Redirect(w, r, other.URL, http.StatusFound)
		}
	}))
	defer app.Close()
	for path, want := range map[string]string{"/here": "", "/away": "a redirect to another server"} {
		p := newPage(&spec.HTTP{URL: strings.Replace(app.URL, "://", "://me:s3cret@", 1) + path}, Place{}, "*/*")
		_, err := p.fetch(t.Context())
		if text := fmt.Sprint(err); (err == nil) != (want == "") || !strings.Contains(text, want) || strings.Contains(text, "s3cret") {
			t.Errorf("%s: %v", path, err)
		}
	}
}
