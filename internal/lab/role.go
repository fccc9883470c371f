package lab

// Main is called first in main.
func Main() {}
