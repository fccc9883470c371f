package ftpclient

import (
	"context"
	"io/fs"
	"iter"
	"time"
)

// An Operation is one thing that [Client.Operate] is to do to a name. It is made by
// OpDelete and the other functions of that kind.
type Operation struct {
	kind     operationKind
	path, to string
	mode     fs.FileMode
	time     time.Time
	told     *time.Time

	// Done, if not nil, is called exactly once for each operation that was taken
	// from the sequence.
	Done func(error)
}

// An operationKind is named as the method of Conn that does the same.
type operationKind string

const (
	opDelete        operationKind = "delete"
	opMakeDir       operationKind = "makedir"
	opRemoveDir     operationKind = "removedir"
	opRename        operationKind = "rename"
	opChmod         operationKind = "chmod"
	opSetModTime    operationKind = "setmodtime"
	opSetCreateTime operationKind = "setcreatetime"
	opModTime       operationKind = "modtime"
	opExists        operationKind = "exists"
)

// OpDelete removes a file, as [Conn.Delete]. There are servers that remove an empty
// directory, too, when they are told so (ftpserverlib).
func OpDelete(path string) Operation { return Operation{kind: opDelete, path: path} }

// OpMakeDir makes a directory, as [Conn.MakeDir].
func OpMakeDir(path string) Operation { return Operation{kind: opMakeDir, path: path} }

// OpRemoveDir removes an empty directory, as [Conn.RemoveDir]. There are servers that
// remove a file, too, when they are told so (ftpserverlib).
func OpRemoveDir(path string) Operation { return Operation{kind: opRemoveDir, path: path} }

// OpRename gives a file or directory another name, as [Conn.Rename].
func OpRename(from, to string) Operation { return Operation{kind: opRename, path: from, to: to} }

// OpChmod sets permissions, as [Conn.Chmod].
func OpChmod(path string, mode fs.FileMode) Operation {
	return Operation{kind: opChmod, path: path, mode: mode}
}

// OpSetModTime sets a time of modification, as [Conn.SetModTime].
func OpSetModTime(path string, t time.Time) Operation {
	return Operation{kind: opSetModTime, path: path, time: t}
}

// OpSetCreateTime sets a time of creation, as [Conn.SetCreateTime].
func OpSetCreateTime(path string, t time.Time) Operation {
	return Operation{kind: opSetCreateTime, path: path, time: t}
}

// OpModTime asks when a file was last changed, as [Conn.ModTime], and puts that into
// told before Done is called. If the server answers with no time that is known, told
// stays as it is. If it does not know the question at all, the error wraps
// errors.ErrUnsupported, and it is not asked again on that connection.
func OpModTime(path string, told *time.Time) Operation {
	return Operation{kind: opModTime, path: path, told: told}
}

// OpExists asks whether there is anything of this name, and changes nothing. Nil
// means that there is. fs.ErrNotExist means that there is not: the server has
// answered 550 to a question about the name (MLST, or SIZE and MDTM); a list of the
// directory that it is in, understood as a whole, does not have it, nor a name that
// could be the same in other letters; and where there is no MLST, it is not a
// directory that can be entered (CWD). Any other error means that it is not known:
// after an empty list by LIST, say, which is what many servers make of a directory
// that they cannot read. What a server hides on purpose counts as not there.
func OpExists(path string) Operation { return Operation{kind: opExists, path: path} }

// Operate carries operations out, on as many as parallel connections at a time (at
// least one). On each of these some are sent at once, before the first is answered,
// unless the server loses commands then. With parallel 1 they are carried out in the
// order of the sequence, but for those that are tried again; with more in no order.
//
// An error of one goes to its Done, and the others go on. Done is called for several
// at once if parallel is more than 1, and must not use the Client. What failed
// because of a connection, or with a reply of 4yz, is tried again, as
// [Config.Retries] says. If its reply was lost, it may have been done before, so
// that a refusal then is compared with what there is: a name that is not there
// any more counts as removed, a directory that is there as made, and a file as
// renamed if the server had granted that it is there and it is now there under the
// new name alone. Where that cannot be told, the error is that by which the reply was
// lost, with the refusal.
//
// The sequence is read ahead, in a goroutine of its own, and must end soon after ctx
// is done. It may come from [Client.Walk] of the same Client. The error of the call is
// as with [Client.Download].
func (c *Client) Operate(ctx context.Context, operations iter.Seq[Operation], parallel int) error {
	jobs := func(_ context.Context, yield func(*job) bool) {
		for o := range operations {
			j := &job{op: &operating{Operation: o}}
			if o.Done != nil {
				j.done = func(_ Result, err error) { o.Done(err) }
			}
			if !yield(j) {
				return
			}
		}
	}
	return operation("operate", c.workBy(ctx, mostAtOnce, c.operate, jobs, parallel))
}

// An operating is an operation of which something may have been done.
type operating struct {
	Operation

	// unsure is why a reply to it was lost: it may have been carried out.
	unsure error

	// granted: in that try, the server had said that what is to be renamed is there.
	granted bool

	swept bool // its reply was lost behind that to another one, which is no try
}
