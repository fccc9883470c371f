package layout

// rule forbids some of the module's packages to need others, directly or not.
type rule struct {
	why     string
	of      func(path string) bool
	forbids func(dep pkg) bool
}

func tree(names ...string) func(string) bool {
	return func(path string) bool {
		for _, name := range names {
			if isOurs(path, name) {
				return true
			}
		}
		return false
	}
}

func one(name string) func(string) bool {
	return func(path string) bool { return path == module+"/"+name }
}

func ours(names ...string) func(pkg) bool {
	in := tree(names...)
	return func(dep pkg) bool { return in(dep.ImportPath) }
}

func anything(pkg) bool { return true }

func thirdParty(dep pkg) bool {
	return !dep.Standard && !within(dep.ImportPath, module)
}

var rules = []rule{
	{"frame is a leaf", tree("frame"), anything},

	{"xdp knows neither a stack nor FTP", tree("xdp"), ours("stack", "ftpclient", "internal", "cmd")},
	{"xdp does not know gVisor", tree("xdp"), func(dep pkg) bool { return within(dep.ImportPath, "gvisor.dev/gvisor") }},

	{"stack takes any device", one("stack"), ours("xdp", "ftpclient", "internal", "cmd", "stack/nic", "stack/stacktest")},
	{"stacktest is a wire in memory", one("stack/stacktest"), ours("xdp", "ftpclient", "internal", "cmd", "stack/nic")},
	{"nic joins xdp and stack only", one("stack/nic"), ours("ftpclient", "internal", "cmd", "stack/stacktest")},

	{"ftpclient takes any dialer", tree("ftpclient"), ours("frame", "xdp", "stack", "internal", "cmd")},
	{"ftpclient needs the standard library only, and a limiter", tree("ftpclient"), func(dep pkg) bool {
		return thirdParty(dep) && dep.ImportPath != "golang.org/x/time/rate"
	}},

	{"the lab does not know what it is for", func(path string) bool {
		return isOurs(path, "internal") && !isOurs(path, "internal/liar")
	}, ours("frame", "xdp", "stack", "ftpclient", "cmd")},
	{"the liar takes any client", tree("internal/liar"), func(dep pkg) bool {
		return one("ftpclient")(dep.ImportPath) || ours("frame", "xdp", "stack", "cmd")(dep)
	}},
	{"package testing is for tests", func(path string) bool {
		return isOurs(path, "cmd") || isOurs(path, "internal/lab")
	}, func(dep pkg) bool { return dep.ImportPath == "testing" }},
}
