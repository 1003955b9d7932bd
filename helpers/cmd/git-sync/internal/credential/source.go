package credential

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"podpatterns.dev/helpers/cmd/git-sync/internal/remote"
)

// defaultUser is for servers that want a token alone and any user.
const defaultUser = "git"

// Source says where credentials come from. Files are read anew for each sync, so a rotated Secret needs no restart.
type Source struct {
	Repository   remote.Repository
	Username     string
	PasswordFile string
	Others       []Other
	Askpass      *Askpass // nil: none
}

// Other is a credential for a URL that isn't the repository's, such as a submodule's.
type Other struct {
	repository   remote.Repository
	username     string
	passwordFile string
}

// ParseOthers reads JSON objects, and lists of them, one after another. Its error repeats none of their values.
func ParseOthers(text string) ([]Other, error) {
	type object struct {
		URL          string `json:"url"`
		Username     string `json:"username"`
		PasswordFile string `json:"password-file"`
	}
	var others []Other
	for decoder := json.NewDecoder(strings.NewReader(text)); ; {
		var value json.RawMessage
		if err := decoder.Decode(&value); errors.Is(err, io.EOF) {
			return others, nil
		} else if err != nil {
			return nil, errors.New("not a JSON object or a list of them")
		}
		list := string(value)
		if !strings.HasPrefix(list, "[") {
			list = "[" + list + "]"
		}
		var objects []object
		strict := json.NewDecoder(strings.NewReader(list))
		strict.DisallowUnknownFields()
		if err := strict.Decode(&objects); err != nil {
			return nil, errors.New("an object has fields besides url, username and password-file, or values that are no text")
		}
		for _, o := range objects {
			r, err := remote.ParseRepository(o.URL)
			if err != nil || !r.IsHTTP() || o.Username == "" || o.PasswordFile == "" {
				return nil, errors.New("an object lacks one of url (http or https), username and password-file")
			}
			others = append(others, Other{r, o.Username, o.PasswordFile})
		}
	}
}

// Collect reads the files and asks the askpass URL, unless its last answer still counts.
func (s *Source) Collect(ctx context.Context) ([]Credential, error) {
	var all []Credential
	for _, o := range s.Others {
		password, err := readPassword(o.passwordFile)
		if err != nil {
			return nil, err
		}
		all = append(all, Credential{
			o.repository.Protocol(), o.repository.Host(), strings.Trim(o.repository.Path(), "/"), o.username, password,
		})
	}
	own, err := s.own(ctx)
	if err != nil || own == nil {
		return all, err
	}
	return append(all, *own), nil
}

// own returns the credential for the repository's server, nil if there is none.
func (s *Source) own(ctx context.Context) (*Credential, error) {
	if !s.Repository.IsHTTP() {
		return nil, nil
	}
	c := Credential{Protocol: s.Repository.Protocol(), Host: s.Repository.Host()}
	var err error
	switch c.Username, c.Password = s.Repository.Userinfo(); {
	case s.Askpass != nil:
		c.Username, c.Password, err = s.Askpass.ask(ctx)
	case s.PasswordFile != "":
		c.Password, err = readPassword(s.PasswordFile)
	}
	if err != nil {
		return nil, err
	}
	if s.Username != "" {
		c.Username = s.Username
	}
	if c.Username == "" && c.Password == "" {
		return nil, nil
	}
	if c.Username == "" {
		c.Username = defaultUser
	}
	return &c, nil
}

// Refused forgets what may have expired. It returns whether asking again could give something else.
func (s *Source) Refused() bool { return s.Askpass != nil && s.Askpass.forget() }

func readPassword(file string) (string, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("reading the password file: %w", err)
	}
	return strings.TrimRight(string(content), "\r\n"), nil
}
