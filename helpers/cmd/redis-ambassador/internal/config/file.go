package config

import "podpatterns.dev/helpers/internal/secretfile"

// File is a configuration that may change.
type File = secretfile.File[Config]

// NewFile is one with the Secrets below a directory.
func NewFile(path, secrets string) *File { return &File{Path: path, SecretsDir: secrets, Parse: parse} }
