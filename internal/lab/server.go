package lab

// Server is an FTP server on a host, in a process of its own.
type Server struct{}

// Stop ends the server and waits for it.
func (s *Server) Stop() error { return nil }
