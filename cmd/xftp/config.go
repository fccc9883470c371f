package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/pelletier/go-toml/v2"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Every flag can also be set by an environment variable and by a key in the
// config file. The flag beats the variable, and the variable beats the file.

// applyConfig gives the flags of cmd that were not typed their values from
// the environment or the config file.
func applyConfig(cmd *cobra.Command, who *caller) error {
	path, keys, err := readConfig(who)
	if err != nil {
		return err
	}
	known := configKeys(cmd.Root())
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if !known[key] {
			return configError("%s: unknown key %q", path, key)
		}
	}
	var first error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if f.Changed || !configurable(f) {
			return
		}
		if value, ok := os.LookupEnv(variable(f)); ok && value != "" {
			if err := f.Value.Set(value); err != nil && first == nil {
				first = usagef("environment variable %s: %q: %v", variable(f), value, err)
			}
			return
		}
		value, ok := keys[f.Name]
		if !ok {
			return
		}
		words, err := words(value)
		if err != nil && first == nil {
			first = configError("%s: %s: %v", path, f.Name, err)
		}
		for _, word := range words {
			if err := f.Value.Set(word); err != nil && first == nil {
				first = configError("%s: %s: %q: %v", path, f.Name, word, err)
			}
		}
	})
	return first
}

// configError is usagef for what is wrong with the config file.
func configError(format string, args ...any) error {
	return &usageError{
		text: fmt.Sprintf(format, args...),
		hint: "mend that file or move it away; with XDG_CONFIG_HOME=DIR xftp reads DIR/xftp/config.toml instead",
	}
}

// variable returns the name of the environment variable for a flag.
func variable(f *pflag.Flag) string {
	return "XFTP_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
}

// typedOnly marks flags that come from the command line alone; see [typed].
const typedOnly = "typed-only"

// configurable says whether a flag may come from elsewhere than the command
// line.
func configurable(f *pflag.Flag) bool {
	_, only := f.Annotations[typedOnly]
	return f.Name != "help" && !only
}

// configKeys returns the names of the flags of all verbs.
func configKeys(root *cobra.Command) map[string]bool {
	keys := make(map[string]bool)
	for _, cmd := range root.Commands() {
		if cmd.Name() == "completion" || cmd.Name() == "help" {
			continue
		}
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if configurable(f) {
				keys[f.Name] = true
			}
		})
	}
	return keys
}

// readConfig returns the path and the keys of the config file. A file that
// does not exist has no keys.
func readConfig(who *caller) (path string, keys map[string]any, err error) {
	dir := os.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(dir) { // "All paths must be absolute", XDG Base Directory Specification
		home := os.Getenv("HOME")
		if who != nil {
			home = who.home
		}
		if home == "" {
			return "", nil, nil
		}
		dir = filepath.Join(home, ".config")
	}
	path = filepath.Join(dir, "xftp", "config.toml")
	data, err := who.readFile(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) { // as with XDG_CONFIG_HOME=/dev/null
		return path, nil, nil
	}
	if err != nil {
		return path, nil, configError("config file: %v", err)
	}
	var syntax *toml.DecodeError
	if err := toml.Unmarshal(data, &keys); errors.As(err, &syntax) {
		row, column := syntax.Position()
		return path, nil, configError("%s:%d:%d: %s", path, row, column, strings.TrimPrefix(syntax.Error(), "toml: "))
	} else if err != nil {
		return path, nil, configError("%s: %v", path, err)
	}
	return path, keys, nil
}

// words turns the value of a key into what would be typed after the flag.
func words(value any) ([]string, error) {
	switch v := value.(type) {
	case string:
		return []string{v}, nil
	case bool, int64:
		return []string{fmt.Sprint(v)}, nil
	case []any:
		var all []string
		for _, element := range v {
			w, err := words(element)
			if err != nil {
				return nil, err
			}
			all = append(all, w...)
		}
		return all, nil
	}
	return nil, errors.New("must be a string, a number, true or false, or a list")
}
