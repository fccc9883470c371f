package ftpclient_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"log"
	"os"
	"slices"

	"github.com/seed-54eb6215/xftp/ftpclient"
	"github.com/seed-54eb6215/xftp/ftpclient/ftptest"
)

// library is a site with two books and a note.
func library() *ftptest.Site {
	return &ftptest.Site{
		Files: map[string]string{
			"books/emma.txt": "Emma Woodhouse, handsome, clever, and rich", "books/waves.txt": "The sun had not yet risen.", "note": "Closed.\n",
		},
		Dirs:     []string{"empty"},
		Features: []string{"MLST type*;size*;"},
	}
}

// Whether a walk has seen everything is told by its errors.
func ExampleClient_Walk() {
	cfg, stop := demo(library())
	defer stop()

	client, err := ftpclient.New("ftp://192.0.2.2/", cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	for entry, err := range client.Walk(context.Background(), "", nil) {
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(entry.Type, entry.Path)
	}
	// Output:
	// dir books
	// file books/emma.txt
	// file books/waves.txt
	// dir empty
	// file note
}

// What takes an fs.FS takes a tree on a server.
func ExampleClient_FS() {
	cfg, stop := demo(library())
	defer stop()

	client, err := ftpclient.New("ftp://192.0.2.2/", cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	tree := client.FS(context.Background(), "")

	names, err := fs.Glob(tree, "books/*.txt")
	fmt.Println(names, err)

	note, err := fs.ReadFile(tree, "note")
	fmt.Printf("%q %v\n", note, err)

	err = fs.WalkDir(tree, ".", func(path string, d fs.DirEntry, err error) error {
		fmt.Println(path, d.IsDir())
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// [books/emma.txt books/waves.txt] <nil>
	// "Closed.\n" <nil>
	// . true
	// books true
	// books/emma.txt false
	// books/waves.txt false
	// empty true
	// note false
}

// One member of an archive comes without the rest.
func ExampleClient_OpenAt() {
	cfg, stop := demo(&ftptest.Site{Files: map[string]string{"books.zip": zipped()}})
	defer stop()

	client, err := ftpclient.New("ftp://192.0.2.2/", cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	file, err := client.OpenAt(context.Background(), "books.zip")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()

	books, err := zip.NewReader(file, file.Size())
	if err != nil {
		log.Fatal(err)
	}
	book, err := books.Open("waves.txt")
	if err != nil {
		log.Fatal(err)
	}
	defer book.Close()
	if _, err := io.Copy(os.Stdout, book); err != nil {
		log.Fatal(err)
	}
	// Output: The sun had not yet risen.
}

// zipped returns the books of the library as a zip file.
func zipped() string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range []string{"emma.txt", "waves.txt"} {
		member, err := w.Create(name)
		if err != nil {
			log.Fatal(err)
		}
		if _, err := io.WriteString(member, library().Files["books/"+name]); err != nil {
			log.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}
	return b.String()
}

// Many commands without data take few round trips.
func ExampleClient_Operate() {
	cfg, stop := demo(library())
	defer stop()

	client, err := ftpclient.New("ftp://192.0.2.2/", cfg)
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	operations := []ftpclient.Operation{
		ftpclient.OpMakeDir("new"),
		ftpclient.OpRename("books/emma.txt", "new/emma.txt"),
		ftpclient.OpDelete("note"),
		ftpclient.OpDelete("note"), // it is gone
	}
	for i := range operations {
		operations[i].Done = func(err error) { fmt.Println(i, err) }
	}
	if err := client.Operate(context.Background(), slices.Values(operations), 1); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 0 <nil>
	// 1 <nil>
	// 2 <nil>
	// 3 ftpclient: delete: 550 no such file
}
