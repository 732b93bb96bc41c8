// Package tui is the operator's terminal interface.
//
// It imports the domain package, the standard library and the terminal
// libraries, and nothing else of the program: what it shows comes through
// small interfaces of the domain, so the same screens run inside the server's
// process and attached to it over a socket.
//
// The ground floor, which does no I/O and reads no clock, is
//
//   - Canvas: the cells of one frame. Screens draw into it, row by row; it
//     clips, measures and sanitises, and becomes one string for the renderer.
//   - Palette: what a Role looks like under a Theme, and the Glyphs in use.
//   - Clock, Duration, Count, …: every figure on the screen, spelled one way.
//   - List: the rows of a list too long to hold, paged round the cursor.
//
// Text from outside (answers of endpoints, names, mail servers' replies) may
// hold anything. It reaches the screen through Canvas alone, which removes
// what could steer a terminal.
package tui
