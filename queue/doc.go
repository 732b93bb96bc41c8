// Package queue is ringback's engine: a callback.Store on Badger.
//
// One goroutine, the writer, makes every change. It folds the operations that
// wait into one transaction, commits it with one fsync, and only then answers
// them: that group commit is what makes durable writes fast (measured: 65,000
// to 157,000 a second against 11,000 with a commit each). The writer owns the
// live state of every callback in memory and applies the state machine of
// package callback inside its commits, so that results of attempts need no reads.
//
// Keys are big-endian and order what they index: a page of any list is one
// seek. Every value carries a version and a CRC32C, for Badger does not notice
// damage by itself. Everything of one callback lies under one slot, the first
// byte of its keys, and nothing under a slot depends on another; the index of
// message ids alone is of all callbacks.
//
// Package queue reads no clock and draws no random numbers.
package queue
