package xdp

// The steering program's object is committed, so that building xftp needs no
// compiler for C; it is for little-endian machines only, which are the ones
// that xftp runs on. The object is the same, byte for byte, wherever the
// version of clang is the one that the file CLANG_VERSION names.
//
//go:generate go run github.com/cilium/ebpf/cmd/bpf2go -go-package xdp -target bpfel -cc clang -strip llvm-strip steer steer.c -- -O2 -Wall -Wextra -Werror -mcpu=v2
