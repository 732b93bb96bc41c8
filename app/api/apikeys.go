package api

import (
	"net/http"
	"strings"

	"ringback/callback"
)

// keyShape is an API key as it is sent; Key is there once, in the answer to the
// request that made it.
type keyShape struct {
	Name        string        `json:"name"`
	Role        callback.Role `json:"role"`
	CreatedDate stamp         `json:"createdDate,omitzero"`
	Key         string        `json:"key,omitempty"`
	Link        []link        `json:"link"`
}

type keyList struct {
	listHead
	Keys []keyShape `json:"keys"`
	listTail
}

func (q *request) key(k *callback.APIKey) keyShape {
	return keyShape{
		Name: k.Name, Role: k.Role, CreatedDate: stamp(k.Created),
		Link: []link{{q.base() + keyPath(k.Name), "delete", "DELETE"}},
	}
}

func (q *request) listKeys() error {
	query, err := readQuery(q.r)
	if err != nil {
		return err
	}
	limit := query.int("limit", defaultLimit, 1, callback.MaxPage, "")
	offset := query.int("offset", 0, 0, callback.MaxOffset, "")
	if err := query.done(); err != nil {
		return err
	}
	keys, err := q.svc.Keys(q.ctx())
	if err != nil {
		return err
	}
	from := min(offset, len(keys))
	to := min(from+limit, len(keys))
	p := page{pos: from, rows: to - from, limit: limit, total: uint64(len(keys)), exact: true, more: to < len(keys)}
	out := keyList{Keys: make([]keyShape, p.rows)}
	out.listHead, out.listTail = q.list(p)
	for i := range out.Keys {
		out.Keys[i] = q.key(&keys[from+i])
	}
	return q.send(http.StatusOK, out)
}

func (q *request) createKey() error {
	n, err := q.body()
	if err != nil {
		return err
	}
	var b binder
	name, role := b.apiKey(&n)
	if err := b.err("the key"); err != nil {
		return err
	}
	k, clear, err := q.svc.AddKey(q.ctx(), name, role)
	if err != nil {
		return err
	}
	s := q.key(&k)
	s.Key = clear
	q.w.Header().Set("Location", q.base()+keyPath(k.Name))
	return q.send(http.StatusCreated, s)
}

// apiKey reads the name and the role of a key to be made; without a role it may
// only read.
func (b *binder) apiKey(n *node) (name string, role callback.Role) {
	word := string(callback.RoleRead)
	kids := b.members("", n)
	for i := range kids {
		switch k := &kids[i]; k.name {
		case "name":
			b.into(&name, k.name, k)
		case "role":
			b.into(&word, k.name, k)
		default:
			b.unknown(under("", k.name))
		}
	}
	return name, callback.Role(strings.ToLower(word)) // an unknown one is named by the service
}

func (q *request) deleteKey() error {
	if err := q.svc.RemoveKey(q.ctx(), q.r.PathValue("name")); err != nil {
		return err
	}
	return q.none()
}

func keyPath(name string) string { return "/keys/" + escape(name) }
