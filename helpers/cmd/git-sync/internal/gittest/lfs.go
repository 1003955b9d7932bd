package gittest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"strings"
)

// Pointer is what Git LFS commits in the place of a file.
func Pointer(content string) string {
	return fmt.Sprintf("version https://git-lfs.github.com/spec/v1\noid sha256:%x\nsize %d\n", sha256.Sum256([]byte(content)), len(content))
}

// LFS puts a Git LFS server with files before git, at the URL of the Server that it is a gate of.
func LFS(url string, files ...string) func(http.ResponseWriter, *http.Request, http.Handler) {
	byID := map[string]string{}
	for _, content := range files {
		byID[fmt.Sprintf("%x", sha256.Sum256([]byte(content)))] = content
	}
	return func(w http.ResponseWriter, q *http.Request, git http.Handler) {
		switch {
		case strings.HasSuffix(q.URL.Path, "/info/lfs/objects/batch"):
			var batch struct {
				Objects []struct {
					OID  string `json:"oid"`
					Size int    `json:"size"`
				} `json:"objects"`
			}
			if err := json.NewDecoder(q.Body).Decode(&batch); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			var objects []any
			for _, o := range batch.Objects {
				objects = append(objects, map[string]any{
					"oid": o.OID, "size": o.Size,
					"actions": map[string]any{"download": map[string]any{"href": url + "/lfs/" + o.OID}},
				})
			}
			w.Header().Set("Content-Type", "application/vnd.git-lfs+json")
			_ = json.NewEncoder(w).Encode(map[string]any{"transfer": "basic", "objects": objects})
		case strings.HasPrefix(q.URL.Path, "/lfs/"):
			_, _ = w.Write([]byte(byID[path.Base(q.URL.Path)]))
		default:
			git.ServeHTTP(w, q)
		}
	}
}
