package lab

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
)

// proftpdModules is where proftpd has its modules, below the root that it was
// unpacked in.
const proftpdModules = "usr/lib/proftpd"

// configureProftpd writes proftpd.conf(5). All that proftpd writes is in d.dir.
func configureProftpd(_ *Server, d daemon) ([]string, error) {
	conf := filepath.Join(d.dir, "proftpd.conf")
	return []string{"--nodaemon", "--quiet", "--config", conf}, os.WriteFile(conf, proftpdConf(d), 0o644)
}

func proftpdConf(d daemon) []byte {
	write := "AllowAll"
	if d.ReadOnly {
		write = "DenyAll"
	}
	var b bytes.Buffer
	if d.TLS != NoTLS {
		writeProftpdTLS(&b, d)
	}
	fmt.Fprintf(&b, `ServerType standalone
ServerName "xftp lab"
# One socket for both families; the address itself would be looked up by the
# host's name.
UseIPv6 on
DefaultAddress 127.0.0.1
DefaultServer on
Port %[1]d
User %[2]s
Group %[6]s
Umask 022
UseReverseDNS off
AuthOrder mod_auth_unix.c
RequireValidShell off
UseFtpUsers off
DelayEngine off
WtmpLog off
TransferLog none
SystemLog none
PidFile %[3]s/pid
ScoreboardFile %[3]s/scoreboard
AllowOverwrite on
AllowStoreRestart on
AllowRetrieveRestart on
UseSendfile on
<Anonymous "%[4]s">
  User %[2]s
  Group %[6]s
  UserAlias anonymous %[2]s
  UserAlias ftp %[2]s
  RequireValidShell off
  AnonRequirePassword off
  <Limit WRITE>
    %[5]s
  </Limit>
</Anonymous>
`, d.Port, d.account.user, d.dir, d.Root, write, d.account.group)
	return b.Bytes()
}

// writeProftpdTLS writes the directives of mod_tls. That a data connection has
// to resume the session of its control connection is its default.
func writeProftpdTLS(b *bytes.Buffer, d daemon) {
	fmt.Fprintf(b, `ModulePath %s
LoadModule mod_tls.c
TLSEngine on
TLSRequired on
TLSProtocol TLSv1.2 TLSv1.3
TLSECCertificateFile %s
TLSECCertificateKeyFile %s
TLSVerifyClient off
TLSRenegotiate none
TLSLog none
`, filepath.Join(d.program.root, proftpdModules), d.CertFile, d.KeyFile)
	if d.TLS == ImplicitTLS {
		fmt.Fprintln(b, "TLSOptions UseImplicitSSL")
	}
}
