package xdp

import (
	"testing"

	"github.com/cilium/ebpf/asm"
)

// TestSteerLoadsOnOlderKernels: kernels before 7.0, but for some patched ones,
// do not know that what a swap of two bytes leaves is less than 65536. They
// refuse a program that adds it to a packet pointer before it is bounded again.
// The kernel that runs the tests may know better, so that the instructions
// are looked at.
func TestSteerLoadsOnOlderKernels(t *testing.T) {
	spec, err := loadSteer()
	if err != nil {
		t.Fatal(err)
	}
	instructions := spec.Programs["xftp_steer"].Instructions
	swaps := 0
	unbounded := make(map[asm.Register]bool)
	for i, ins := range instructions {
		op := ins.OpCode
		switch {
		case op.Class().IsLoad():
			delete(unbounded, ins.Dst)
			continue
		case op.Class().IsJump() && op.JumpOp() == asm.Call:
			for r := asm.R0; r <= asm.R5; r++ {
				delete(unbounded, r)
			}
			continue
		case !op.Class().IsALU():
			continue
		}
		register := op.Source() == asm.RegSource
		switch operation := op.ALUOp(); {
		case operation == asm.Swap:
			swaps++
			unbounded[ins.Dst] = true
		case operation == asm.Mov && register:
			unbounded[ins.Dst] = unbounded[ins.Src]
		case operation == asm.Mov, operation == asm.And && !register:
			delete(unbounded, ins.Dst)
		case operation == asm.Add && register && (unbounded[ins.Src] || unbounded[ins.Dst]):
			t.Errorf("instruction %d, %v: adds what a swap left", i, ins)
		}
	}
	if swaps == 0 {
		t.Error("there is no swap of bytes: the test looks at the wrong thing")
	}
}
