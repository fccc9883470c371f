package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/stack/nic"
	"github.com/seed-54eb6215/xftp/xdp"
	"golang.org/x/sys/unix"
)

// Hints say what can be done about an error. They live in this file alone:
// the libraries say what happened, and do not know what the user typed.

// hintFor returns what can be done about err, or "".
func hintFor(err error, o *options) string {
	var (
		usage  *usageError
		hinted *hintedError
		reply  *ftpclient.ReplyError
		table  = transferHints
	)
	switch {
	case errors.As(err, &usage):
		return usage.hint
	case errors.As(err, &hinted):
		return hinted.hint
	case errors.As(err, new(*signalError)), errors.As(err, new(*unwrittenError)):
		return ""
	case errors.As(err, new(*setupError)):
		table = setupHints
	case errors.As(err, &reply) && !isUnverified(err):
		if text := tlsReplyHint(reply, o.tls.wanted); text != "" {
			return text
		}
		if isLogin(reply) && o.login.missing() {
			return "no password was given, and there is no terminal to ask on; give it as ftp://user:password@host/, in XFTP_PASSWORD, or in ~/.netrc"
		}
		return replyHint(reply)
	case as[*ftpclient.PinError](err):
		return pinHint(err)
	case as[*ftpclient.TLSError](err):
		table = tlsHints
	}
	route := "--address, --gateway"
	if o.net == "kernel" {
		route = "the routes of this host"
	}
	for _, h := range table {
		if h.matches(err) {
			return strings.NewReplacer("{iface}", o.iface, "{interfaces}", strings.Join(interfaceNames(), ", "), "{timeout}", o.timeout.String(), "{xftp}", executable(), "{route}", route).Replace(h.text)
		}
	}
	return ""
}

// A hint belongs to the errors that it matches. In its text {iface} and the
// like stand for what the user gave and what this host has.
type hint struct {
	matches func(error) bool
	text    string
}

// setupHints are for errors of [nic.Open]. The first that matches is given.
var setupHints = []hint{
	{is(nic.ErrNoInterface), "the interfaces here are: {interfaces}"},
	{is(nic.ErrLinkDown), "bring it up: sudo ip link set dev {iface} up"},
	{is(nic.ErrNoCarrier), "check the cable, or the other end of the link"},
	{is(nic.ErrUnsupported), "give the interface of the network card itself with --iface"},
	{is(nic.ErrAddressInUse), "give an address of the same subnet that nobody has with --address"},
	{as[*nic.QueueError], "the queues are listed by: ethtool -l {iface}"},
	{isXftp, "another xftp uses this interface; wait for it, or take another interface"},
	{as[*xdp.IncumbentError], "stop the program that attached it; what it is: sudo ip -d link show dev {iface}"},
	{failed("load program", unix.EINVAL, unix.EACCES), "this kernel refuses xftp's program; take --net kernel, and tell the makers of xftp which kernel it is: uname -r"},
	{is(unix.EPERM), "run it with sudo, or once: sudo setcap cap_net_admin,cap_net_raw,cap_bpf,cap_perfmon+ep {xftp}"},
	{is(unix.EACCES), "run it with sudo, or once: sudo setcap cap_net_admin,cap_net_raw,cap_bpf,cap_perfmon+ep {xftp}"},
	{is(unix.EBUSY), "perhaps another xftp uses this queue; take another one with --queue"},
	{is(unix.EMSGSIZE), mtuHint},
	{is(unix.ERANGE), mtuHint},
	{failed("attach", unix.EINVAL), mtuHint},
	{failed("bind", unix.EINVAL), "let xftp choose the mode: --xdp-mode auto"},
	{is(unix.EOPNOTSUPP), "let xftp choose the mode: --xdp-mode auto"},
	{is(unix.ENOBUFS), "too little memory may be locked; see: ulimit -l"},
	{failed("attach", unix.ENOMEM), "use fewer channels: ethtool -L {iface} combined N"},
}

const mtuHint = "make the MTU smaller at both ends of the link: sudo ip link set dev {iface} mtu 1500"

const unverifiedHint = "the server does not offer that check; --verify auto does without it"

// transferHints are for errors of a transfer, from the first packet on.
var transferHints = []hint{
	{isUnverified, unverifiedHint},
	{as[*ftpclient.NameError], "two files could become one there; give it another name"},
	{is(errPartLocked), "wait for it, or write elsewhere with -o"},
	{is(unix.ECONNREFUSED), "no FTP server listens there; check host and port"},
	{is(unix.EHOSTUNREACH), "nobody answers at that address; check {route} and the cable"},
	{is(unix.EHOSTDOWN), "nobody answers at that address; check {route} and the cable"},
	{is(unix.ENETUNREACH), "there is no way to that network; check {route}"},
	{is(unix.ENOSPC), "no room is left on the device; write elsewhere with -o"},
	{is(unix.EDQUOT), "your quota is used up; write elsewhere with -o"},
	{is(unix.EROFS), "the directory is read-only; write elsewhere with -o"},
	{is(os.ErrPermission), "check who owns the file and its directory"},
	{isSilence, "no greeting came; if the server wants TLS from the start: ftps://, or wait longer than {timeout} with --timeout"},
	{as[*ftpclient.TimeoutError], "wait longer than {timeout} with --timeout"},
}

// replyHint returns what can be done about a refusal, or "".
func replyHint(reply *ftpclient.ReplyError) string {
	verb, _, _ := strings.Cut(reply.Command, " ")
	if verb == "HOST" {
		return "that host is not here, or the server knows of none; without --virtual-host its default host answers"
	}
	if text, ok := refusalHints[verb]; ok && reply.Code == 550 {
		return text
	}
	return replyHints[reply.Code]
}

// isLogin says whether a server has refused the password, or the want of one.
func isLogin(reply *ftpclient.ReplyError) bool {
	verb, _, _ := strings.Cut(reply.Command, " ")
	return verb == "PASS" && (reply.Code == 530 || reply.Code == 430)
}

// refusalHints are for a 550, by the command.
var refusalHints = map[string]string{
	"RETR": "it does not exist, is a directory (which get -r takes), or is not yours to read; look with: xftp ls",
	"RMD":  "it does not exist, is not empty (which rm -r takes), or is not yours to remove; look with: xftp ls",
	"RNTO": "the directory that it is to be in does not exist or is not yours to write, or something else is there; look with: xftp ls",
	"MKD":  "it exists, what it is to be in does not (which mkdir -p makes), or you may not write there; look with: xftp ls",
}

// replyHints are for refusals of the server, by their code (RFC 959, Section
// 4.2.2).
var replyHints = map[int]string{
	421: "the server is busy or shutting down; try again later",
	425: "the data connection failed; a firewall may want --active, or no --active",
	426: "the server broke the transfer off",
	430: "user and password are given as ftp://user:password@host/, or in ~/.netrc",
	452: "the server's disk is full",
	530: "user and password are given as ftp://user:password@host/, or in ~/.netrc",
	550: "it does not exist, or is not yours to use; look with: xftp ls",
	552: "the server takes no more data; its disk or your quota is full",
	553: "the server does not take this name, or not in this directory",
}

// is matches errors that wrap target.
func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

// as matches errors that wrap one of type T.
func as[T error](err error) bool {
	var target T
	return errors.As(err, &target)
}

// isUnverified matches the error of a check that the server refuses.
func isUnverified(err error) bool { return kindOf(err) == ftpclient.KindUnverified }

// isSilence matches a server that did not greet.
func isSilence(err error) bool {
	var late *ftpclient.TimeoutError
	return errors.As(err, &late) && late.Step == ftpclient.StepGreeting
}

// isXftp matches the error that another xftp on the interface causes.
func isXftp(err error) bool {
	var incumbent *xdp.IncumbentError
	return errors.As(err, &incumbent) && strings.HasPrefix(incumbent.Name, "xftp_")
}

// failed matches the errors of a step of package xdp's that wrap one of errnos.
func failed(step string, errnos ...unix.Errno) func(error) bool {
	return func(err error) bool {
		var op *xdp.OpError
		return errors.As(err, &op) && op.Op == step && slices.ContainsFunc(errnos, func(e unix.Errno) bool { return errors.Is(op, e) })
	}
}

// isDiskFull says whether err means that a local file has no room to grow.
func isDiskFull(err error) bool {
	return errors.Is(err, unix.ENOSPC) || errors.Is(err, unix.EDQUOT)
}

// interfaceNames returns the interfaces of this host, without the loopback.
func interfaceNames() []string {
	all, err := net.Interfaces()
	if err != nil {
		return nil // as on a host that has none
	}
	var names []string
	for _, i := range all {
		if i.Flags&net.FlagLoopback == 0 {
			names = append(names, i.Name)
		}
	}
	return names
}

func executable() string {
	path, err := os.Executable()
	if err != nil {
		return "xftp"
	}
	return shellQuote(path)
}

// describe writes an error in one line, without what only means something to
// a programmer.
func describe(err error) string {
	var (
		reply  *ftpclient.ReplyError
		broken *ftpclient.TransferError
		wrong  *ftpclient.IntegrityError
		secure *ftpclient.TLSError
		list   *ftpclient.ListError
		file   *fs.PathError
		dial   *net.OpError
		name   *net.DNSError
		errno  unix.Errno
		text   string
	)
	switch {
	case errors.As(err, &name):
		text = name.Error()
	case errors.As(err, &dial) && dial.Op == "dial" && dial.Addr != nil && errors.As(err, &errno):
		text = fmt.Sprintf("dial %s: %v", dial.Addr, errno)
	case errors.As(err, &file):
		text = file.Error() // a local file; what the server thought of it matters less
	case errors.As(err, &broken):
		text = broken.Error()
	case errors.As(err, &wrong):
		text = wrong.Error()
	case errors.As(err, &secure):
		text = secure.Error()
	case errors.As(err, &list):
		text = list.Error()
	case errors.As(err, &reply):
		text = reply.Error()
	default:
		text = err.Error()
	}
	for _, prefix := range []string{"ftpclient: ", "nic: ", "xdp: ", "stack: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return strings.ReplaceAll(text, "\n", "; ")
}
