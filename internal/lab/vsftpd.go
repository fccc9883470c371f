package lab

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
)

// configureVsftpd writes vsftpd.conf(5).
func configureVsftpd(_ *Server, d daemon) ([]string, error) {
	empty := filepath.Join(d.dir, "empty")
	if err := os.MkdirAll(empty, 0o755); err != nil {
		return nil, err
	}
	conf := filepath.Join(d.dir, "vsftpd.conf")
	return []string{conf}, os.WriteFile(conf, vsftpdConf(d, empty), 0o644)
}

func vsftpdConf(d daemon, empty string) []byte {
	yesNo := map[bool]string{true: "YES", false: "NO"}
	write := yesNo[!d.ReadOnly]
	var b bytes.Buffer
	for _, option := range append([][2]string{
		// One socket for both families.
		{"listen_ipv6", "YES"},
		{"listen_port", strconv.Itoa(d.Port)},
		{"background", "NO"},

		{"anonymous_enable", "YES"},
		{"local_enable", "NO"},
		{"ftp_username", d.account.user},
		{"nopriv_user", "nobody"},
		{"anon_root", d.Root},
		{"secure_chroot_dir", empty},
		{"anon_world_readable_only", "NO"},

		{"write_enable", write},
		{"anon_upload_enable", write},
		{"anon_mkdir_write_enable", write},
		{"anon_other_write_enable", write}, // rename, delete
		{"anon_umask", "022"},

		{"pasv_enable", "YES"},
		{"port_enable", "YES"},
		{"connect_from_port_20", "YES"},
		{"ascii_upload_enable", "YES"},
		{"ascii_download_enable", "YES"},
		{"mdtm_write", write},

		// No namespaces or filters of its own, which not every kernel has.
		{"tcp_wrappers", "NO"},
		{"isolate", "NO"},
		{"isolate_network", "NO"},
		{"seccomp_sandbox", "NO"},
	}, vsftpdTLS(d)...) {
		fmt.Fprintf(&b, "%s=%s\n", option[0], option[1])
	}
	return b.Bytes()
}

// vsftpdTLS returns the options for TLS, the strict ones: a data connection has
// to resume the session of its control connection, and an upload has to end
// with a close_notify.
func vsftpdTLS(d daemon) [][2]string {
	if d.TLS == NoTLS {
		return [][2]string{{"xferlog_enable", "NO"}}
	}
	options := [][2]string{
		{"ssl_enable", "YES"},
		{"allow_anon_ssl", "YES"},
		{"force_anon_logins_ssl", "YES"},
		{"force_anon_data_ssl", "YES"},
		{"rsa_cert_file", d.CertFile}, // of any kind, whatever the name says
		{"rsa_private_key_file", d.KeyFile},
		{"ssl_request_cert", "NO"},
		{"ssl_ciphers", "HIGH"}, // its own default is a single old one
		{"require_ssl_reuse", "YES"},
		{"strict_ssl_read_eof", "YES"},
		// For Handshakes.
		{"debug_ssl", "YES"},
		{"xferlog_enable", "YES"},
		{"vsftpd_log_file", filepath.Join(d.dir, vsftpdLog)},
	}
	if d.TLS == ImplicitTLS {
		options = append(options, [2]string{"implicit_ssl", "YES"})
	}
	return options
}

// vsftpdLog is the name of its log, where it keeps one.
const vsftpdLog = "log"

// Handshake is what a server and a client have agreed upon for a connection.
type Handshake struct {
	Version string // such as TLSv1.3
	Cipher  string // such as TLS_AES_128_GCM_SHA256
	Resumed bool   // the session of another connection
}

// handshakeLine is what debug_ssl has vsftpd write about a connection.
var handshakeLine = regexp.MustCompile(`"SSL version: (\S+), SSL cipher: (\S+), (not )?reused,`)

// Handshakes returns those of all connections so far, in their order; control
// connections are among them. Only vsftpd tells.
//
// The error wraps errors.ErrUnsupported with other servers.
func (s *Server) Handshakes() ([]Handshake, error) {
	if s.kind != Vsftpd || s.tls == NoTLS {
		return nil, fmt.Errorf("lab: handshakes of %s without a log: %w", s.kind, errors.ErrUnsupported)
	}
	b, err := os.ReadFile(filepath.Join(s.dir(), vsftpdLog))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("lab: handshakes: %w", err)
	}
	var all []Handshake
	for _, m := range handshakeLine.FindAllSubmatch(b, -1) {
		all = append(all, Handshake{Version: string(m[1]), Cipher: string(m[2]), Resumed: len(m[3]) == 0})
	}
	return all, nil
}
