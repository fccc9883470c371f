// Package layout holds tests of the module as a whole: who imports whom. It
// has no code of its own. ARCHITECTURE.md says why the directions are what
// they are.
package layout
