package callback

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"slices"
)

// MaxNamed is how many calls an operation may name; more are what filters are
// for.
const MaxNamed = 10_000

// Name makes o one for the calls with those ids alone, and returns them as a
// Store keeps them: each once, in order. Without ids o stays one of its Filter.
func (o *Operation) Name(ids []CallID) []CallID {
	if len(ids) == 0 {
		return nil
	}
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	b := make([]byte, 0, 8*len(ids))
	for _, id := range ids {
		b = binary.BigEndian.AppendUint64(b, uint64(id))
	}
	o.Named, o.Names = len(ids), sha256.Sum256(b)
	return ids
}

// Operation returns the operation of that id, on the callback num, that n asks for,
// and puts n.IDs in order. The error is that of Operation.Validate: a list of calls
// that has none is refused, for it must not come to mean all.
func (n *NewOperation) Operation(id string, num Num) (Operation, error) {
	o := Operation{
		ID: id, Num: num, Kind: n.Kind, Filter: n.Filter, Extend: n.Extend, Rate: n.Rate, Upto: n.Upto, By: n.By, Remark: n.Remark,
	}
	var f faults
	if n.IDs != nil && len(n.IDs) == 0 {
		f.add("ids", "names no call; leave it out where calls are not named")
	}
	n.IDs = o.Name(n.IDs)
	return o, Invalid("the operation", f, o.Validate())
}

// Missing returns how many of the calls that o names do not exist, which is known
// once it is done.
func (o *Operation) Missing() uint64 {
	if o.Named == 0 || o.State != OperationDone {
		return 0
	}
	return o.Total - min(o.Matched, o.Total)
}

// validateNames adds what is wrong with the calls that o names.
func (o *Operation) validateNames(f *faults) {
	if o.Named > MaxNamed {
		f.add("ids", "names %d calls; at most %d, beyond that select them by what they have in common", o.Named, MaxNamed)
	}
	if o.Named > 0 && o.Filter != (Filter{}) {
		f.add("ids", "says which calls are meant; nothing else can select beside it")
	}
}

// Absent returns the first MaxMissing of the calls that o names, in order, that do not
// exist or are of another callback.
func (o Operation) Absent(ctx context.Context, s Ledger, named []CallID) (out []CallID, err error) {
	for done := len(named) == 0; !done && len(out) < MaxMissing; {
		rest := named
		page, err := o.Select(ctx, s, named, MaxPage, func(c *Call) {
			if at, ok := slices.BinarySearch(rest, c.ID); ok {
				out, rest = append(out, rest[:at]...), rest[at+1:]
			}
		})
		if err != nil {
			return nil, err
		}
		if done = page.Last; done {
			out = append(out, rest...)
		}
		o.After, named = page.After, rest
	}
	return out[:min(len(out), MaxMissing)], nil
}

// Next reads what o does next: at most limit calls.
func (o *Operation) Next(ctx context.Context, s Store, limit int) (OperationPage, error) {
	if o.Named == 0 {
		return o.Select(ctx, s, nil, limit, nil)
	}
	p := OperationPage{From: o.After, After: o.After}
	ids, err := s.Named(ctx, o.ID, o.After, limit)
	if err != nil {
		return p, err
	}
	p.Last = len(ids) < limit
	for _, id := range ids {
		if id > o.Upto {
			p.Last = true
			break
		}
		p.Calls, p.After = append(p.Calls, id), id
	}
	return p, nil
}

// Select reads at most limit of the calls that o is for, behind those that it
// came to, and hands each to found, if that is not nil. named are the calls that o
// names, in order.
func (o *Operation) Select(ctx context.Context, s Ledger, named []CallID, limit int, found func(*Call)) (OperationPage, error) {
	p := OperationPage{From: o.After}
	q := CallQuery{Num: o.Num, Filter: o.Filter, IDs: named, After: o.After, Oldest: true, Limit: limit, Scan: operationScan}
	if o.Named > 0 {
		q.Status = ListSuccess | ListFailed | ListPending
	}
	page, err := s.Calls(ctx, q)
	if err != nil {
		return p, err
	}
	p.After, p.Last = page.Next, !page.More
	for i := range page.Calls {
		c := &page.Calls[i]
		if c.ID > o.Upto {
			p.Last = true
			break
		}
		p.Calls = append(p.Calls, c.ID)
		if found != nil {
			found(c)
		}
	}
	return p, nil
}
