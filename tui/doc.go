// Package tui is the operator's terminal interface.
//
// It imports the domain package, the standard library and the terminal
// libraries, and nothing else of the program: what it shows comes through the
// domain's Service, so the same screens run inside the server's
// process and attached to it over a socket.
//
// Run is all a caller needs. Inside there is one Bubble Tea model, which
// routes; the screens are pages with Key, Data and Draw; what the screens share
// is the desk; service.go alone talks to the callback.Service, in commands of
// two seconds at most; keys.go has every key with its help. A screen asks for
// what it shows when it comes up, when the service tells of a change, and with
// the tick; what takes its time never keeps a key waiting.
//
// Where a cursor is, what is marked, and what a box asks about are ids, never
// row numbers: nothing that arrives moves them.
//
// The ground floor, which does no I/O and reads no clock, is
//
//   - Canvas: the cells of one frame. Screens draw into it, row by row; it
//     clips, measures and sanitises; the painter writes what changed of them.
//   - Palette: what a Role looks like under a Theme, and the Glyphs in use.
//   - Clock, Duration, Count, …: every figure on the screen, spelled one way.
//   - List: the rows of a list too long to hold, paged round the cursor.
//
// Text from outside (answers of endpoints, names, mail servers' replies) may
// hold anything. It reaches the screen through Canvas alone, which removes
// what could steer a terminal.
package tui
