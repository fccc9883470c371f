// Package lab makes two hosts out of network namespaces, joins them with a
// veth pair and runs FTP servers in them, so that a transfer crosses a real
// link of the kernel on a machine that has no spare network card.
//
//	client namespace                        server namespace
//	10.99.0.1/24  fd99::1/64                10.99.0.2/24  fd99::2/64
//	xftp, or any peer                       an FTP server
//	        eth0 ---------------- veth ---------------- eth0
//
// # Wire-true
//
// A veth pair left as it is hands packets of 64 KiB with unfinished checksums
// from one end to the other, which no cable does. The lab turns segmentation
// and checksum offload off on both ends, so that no frame is longer than the
// MTU and every checksum is there; receive offload (GRO) is on at both ends,
// as it is on a network card. [Config.Offload] leaves the kernel's defaults.
// [Config.Threaded] has each host receive in a thread of its own; without it
// whoever sends a frame also does the other host's work on it.
//
// # Impairment
//
// With [Config.Impairment] a third namespace, where a process carries frames
// from one veth pair to another, stands between the hosts. It delays, loses,
// reorders, duplicates and corrupts them and limits their rate; see package
// relay. The kernel needs no netem for that.
//
// # Ownership
//
// Namespaces are bind mounts below /run/netns, where ip-netns(8) finds them.
// Their names hold the process id of the owner and the time it was started:
// [New] and [Sweep] remove what dead owners have left, and nothing else.
// Processes that [Host.Start] starts get SIGKILL when the owner dies. So a
// lab whose owner was killed leaves two or three names and one directory below
// /run/xftp, until the next lab is made.
//
// A lab of [Up] outlives its maker: its owner is a process started for that, and
// the names of its namespaces are the same each time. A file in its directory
// says whose it is. [Down] ends it, [Exec] runs programs in it.
//
// A program that wants to be clean after an interrupt too catches the signal
// (signal.NotifyContext) and calls [Lab.Close], which may be called from any
// goroutine and any number of times.
//
// # Servers
//
// [Host.StartServer] runs servers in processes of their own. The embedded one
// is the calling executable, started again; therefore main, or TestMain, has
// to call [Main] before it does anything else. The others are Debian's programs,
// found by [FindServer].
//
// With [ServerConfig.TLS] a server shows a certificate of the lab's own authority,
// [Server.CAFile], for the addresses of both hosts in both families. What servers
// can demand, they do: vsftpd and proftpd that data connections resume the session
// of the control connection, vsftpd that uploads end with a close_notify. Debian's
// pure-ftpd has no implicit TLS.
//
// # Limitations
//
// Needs root (CAP_SYS_ADMIN, CAP_NET_ADMIN) and Linux 5.4, or 5.12 with
// [Config.Threaded]. Nothing but the
// Go program itself is needed: neither ip(8) nor ethtool(8).
package lab
