package main

import "strings"

// unusual names the packages of libraries whose names do not follow the rule
// of packagesOf; the first that the machine's release knows is taken.
var unusual = map[string][]string{
	"libpam.so.0":          {"libpam0g"},
	"libz.so.1":            {"zlib1g"},
	"libcares.so.2":        {"libcares2", "libc-ares2"},
	"libxml2.so.2":         {"libxml2"},
	"liblber-2.5.so.0":     {"libldap-2.5-0"},
	"libbrotlidec.so.1":    {"libbrotli1"},
	"libbrotlicommon.so.1": {"libbrotli1"},
	"libbrotlienc.so.1":    {"libbrotli1"},
}

// packagesOf returns the packages that may hold a library. Debian names them
// after the library and its version, Debian Policy, Section 8.1: libcap.so.2
// is in libcap2, libssh2.so.1 in libssh2-1; since time_t has 64 bits, some
// have t64 at the end.
func packagesOf(library string) []string {
	if names := unusual[library]; names != nil {
		return names
	}
	name, version, ok := strings.Cut(library, ".so.")
	if !ok || name == "" || version == "" {
		return nil
	}
	name = strings.ToLower(strings.ReplaceAll(name, "_", "-"))
	if last := name[len(name)-1]; '0' <= last && last <= '9' {
		name += "-"
	}
	return []string{name + version + "t64", name + version}
}
