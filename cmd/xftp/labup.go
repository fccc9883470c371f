package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/seed-54eb6215/xftp/internal/lab"
	"github.com/spf13/cobra"
)

func newLabUp(out *output) *cobra.Command {
	var o labOptions
	cfg := lab.UpConfig{Lab: lab.Config{MTU: 1500}}
	server := lab.ServerConfig{}
	kind, security := "none", lab.NoTLS.String()
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Make a lab, which stays until lab down",
		Long: `Up makes two network namespaces, client and server, and a link between them, and
prints their names and addresses. The link is as a cable: no frame is longer than
the MTU, and every checksum is there. With an impairment, or --relay, frames
cross a third namespace, where a process of xftp's impairs them. A frame's fate
depends on --seed and on how many came before it in its direction.

The spare addresses belong to nobody: they are for xftp's own stack.

vsftpd, proftpd and pureftpd are Debian's packages, installed or unpacked below
build/. With --tls the server takes no login and no data in the clear, and shows a
certificate of the lab's own authority, whose file lab status names.`,
		Example: `  sudo xftp lab up
  sudo xftp lab up --delay 10ms --loss 0.1% --seed 1 --server embedded --root /srv/files
  sudo xftp lab up --server vsftpd --tls explicit
  sudo xftp lab up --name slow --rate 100Mbit --delay 25ms --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.begin(cmd); err != nil {
				return err
			}
			cfg.Name = o.name
			for _, k := range lab.Kinds() {
				if kind == k.String() {
					server.Kind = k
					cfg.Server = &server
				}
			}
			for _, m := range lab.TLSModes() {
				if security == m.String() {
					server.TLS = m
				}
			}
			if server.TLS != lab.NoTLS && cfg.Server == nil {
				return &usageError{"--tls: there is no server to do it", "choose one with --server"}
			}
			if err := checkLabRoot(cfg.Server, server.Root); err != nil {
				return err
			}
			if cfg.Lab.Offload && (cfg.Lab.Relay || cfg.Lab.Impairment != lab.Impairment{}) {
				return usagef("--offload: a link with a relay carries no packets longer than the MTU")
			}
			ctx, stop := withSignals(cmd.Context())
			defer stop()
			info, err := lab.Up(ctx, cfg)
			if err != nil {
				err = o.explain(err)
				if errors.Is(err, lab.ErrExists) || interrupted(ctx) != nil {
					return err
				}
				return &setupError{err}
			}
			return o.printLab(out, info)
		},
	}
	o.addName(cmd)
	cmd.Flags().Var((*frameSize)(&cfg.Lab.MTU), "mtu", "`N` bytes of the largest packet; AF_XDP takes up to 3498 on veth")
	addImpairment(cmd, &cfg.Lab.Impairment)
	cmd.Flags().BoolVar(&cfg.Lab.Relay, "relay", false, "put the relay into a link without impairment, too")
	cmd.Flags().BoolVar(&cfg.Lab.Offload, "offload", false, "leave veth its 64 KiB packets and unfinished checksums")
	cmd.Flags().BoolVar(&cfg.Lab.Threaded, "threaded", false, "have each host receive in a kernel thread of its own, as two machines would")
	words := []string{"none"}
	for _, k := range lab.Kinds() {
		words = append(words, k.String())
	}
	cmd.Flags().Var(&choice{&kind, words}, "server", "FTP server to start on the server host")
	modes := []string{}
	for _, m := range lab.TLSModes() {
		modes = append(modes, m.String())
	}
	cmd.Flags().Var(&choice{&security, modes}, "tls", "how the server protects control and data: after AUTH TLS (explicit), or from the first byte on (implicit)")
	cmd.Flags().StringVar(&server.Root, "root", "", "`DIR` that it serves (default a new one, removed with the lab)")
	o.addPrinting(cmd)
	return cmd
}

// checkLabRoot checks the directory that is to be served, and makes its name
// absolute.
func checkLabRoot(server *lab.ServerConfig, root string) error {
	if root == "" {
		return nil
	}
	if server == nil {
		return &usageError{"--root: there is no server to serve it", "choose one with --server"}
	}
	info, err := os.Stat(root)
	if err != nil {
		return &usageError{text: "--root: " + err.Error()}
	}
	if !info.IsDir() {
		return usagef("--root: %s is no directory", root)
	}
	server.Root, err = filepath.Abs(root)
	return err
}

func newLabDown(out *output) *cobra.Command {
	var o labOptions
	cmd := &cobra.Command{
		Use:   "down",
		Short: "Remove a lab and end what runs in it",
		Long: `Down ends the server and the relay of a lab and removes its namespaces, its link
and its files. It is no error if there is no such lab. Programs that lab exec
has started there are not ended; they lose the link.`,
		Example: "  sudo xftp lab down",
		Args:    noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.begin(cmd); err != nil {
				return err
			}
			ctx, stop := withSignals(cmd.Context())
			defer stop()
			err := lab.Down(ctx, o.name)
			if errors.Is(err, lab.ErrDown) {
				if !o.quiet {
					out.note("lab down: %s: nothing to remove", o.name)
				}
				return nil
			}
			return o.explain(err)
		},
	}
	o.addName(cmd)
	cmd.Flags().BoolVarP(&o.quiet, "quiet", "q", false, "print nothing but errors")
	return cmd
}

func newLabSet(out *output) *cobra.Command {
	var o labOptions
	var given lab.Impairment
	cmd := &cobra.Command{
		Use:   "set",
		Short: "Change the impairment of a lab that is up",
		Long: `Set changes what the link of a lab does to frames, in both directions; what no
flag names stays as it is. Frames on their way are not affected. The seed starts
anew, so that after the same set the same frames are lost.`,
		Example: `  sudo xftp lab set --loss 1%
  sudo xftp lab set --loss 0 --delay 0s --rate 1Gbit`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.begin(cmd); err != nil {
				return err
			}
			ctx, stop := context.WithTimeout(cmd.Context(), labPatience)
			defer stop()
			info, err := lab.SetImpairment(ctx, o.name, func(imp *lab.Impairment) { changed(cmd, given, imp) })
			if err != nil {
				return o.explain(fmt.Errorf("set: %w", err))
			}
			return o.printLab(out, info)
		},
	}
	o.addName(cmd)
	addImpairment(cmd, &given)
	o.addPrinting(cmd)
	return cmd
}
