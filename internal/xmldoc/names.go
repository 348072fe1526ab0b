package xmldoc

// names keeps the namespace declarations that are in force. Prefixes and namespaces have numbers, so that the cost of an
// element does not depend on how many declarations a hostile document has made, nor on how long they are.
type names struct {
	prefixes map[string]int32
	uris     map[string]int32
	prefix   []string // by number; 0 is the empty prefix, 1 is xml
	uri      []string // by number; 0 is no namespace, 1 is that of xml
	top      []int32  // by number of the prefix: its newest declaration in stack, or -1
	stack    []binding

	last       string // the prefix that was looked for last, and its number
	lastNumber int32
}

type binding struct{ prefix, uri, prev int32 }

func newNames() names {
	return names{
		prefixes: map[string]int32{"": 0, "xml": 1},
		uris:     map[string]int32{"": 0, xmlNS: 1},
		prefix:   []string{"", "xml"},
		uri:      []string{"", xmlNS},
		top:      []int32{0, 1},
		stack:    []binding{{0, 0, -1}, {1, 1, -1}},
	}
}

// declare puts a declaration in force. It says false when there are more than maxNames.
func (n *names) declare(prefix, uri string) bool {
	p, ok := n.prefixes[prefix]
	if !ok {
		if len(n.prefix) >= maxNames {
			return false
		}
		p = int32(len(n.prefix))
		n.prefixes[prefix] = p
		n.prefix, n.top = append(n.prefix, prefix), append(n.top, -1)
	}
	u, ok := n.uris[uri]
	if !ok {
		if len(n.uri) >= maxNames {
			return false
		}
		u = int32(len(n.uri))
		n.uris[uri] = u
		n.uri = append(n.uri, uri)
	}
	n.stack = append(n.stack, binding{p, u, n.top[p]})
	n.top[p] = int32(len(n.stack) - 1)
	return true
}

// declaredSince says whether the prefix was declared after the mark.
func (n *names) declaredSince(mark int, prefix string) bool {
	p, ok := n.prefixes[prefix]
	return ok && int(n.top[p]) >= mark
}

// release takes back what was declared after the mark.
func (n *names) release(mark int) {
	for i := len(n.stack) - 1; i >= mark; i-- {
		n.top[n.stack[i].prefix] = n.stack[i].prev
	}
	n.stack = n.stack[:mark]
}

// find gives the numbers of a prefix and of the namespace it stands for now.
func (n *names) find(prefix string) (p, u int32, ok bool) {
	if prefix == n.last {
		p = n.lastNumber
	} else {
		if p, ok = n.prefixes[prefix]; !ok {
			return 0, 0, false
		}
		n.last, n.lastNumber = prefix, p
	}
	if n.top[p] < 0 {
		return p, 0, false
	}
	return p, n.stack[n.top[p]].uri, true
}
