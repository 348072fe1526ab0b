package sign

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"
)

// A profile goes to a container elsewhere, and its act comes back, as JSON.
func TestJSON(t *testing.T) {
	profile := Profile{Format: Dual, Seal: "3299990000000001", Picture: &Picture{Type: "PNG", Data: []byte{1, 2, 3}, Width: 45, Height: 45},
		Specs: map[Format]Spec{Dual: {Hashes: []Hash{SM3, SHA256}, MaxSize: 9000, Chain: [][]byte{{4}, {5}}}}}
	act := Act{ID: "1", Document: "判决书", Reason: "理由", Time: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Source: Sums{SM3: {1}}, Content: Sums{SM3: {2}}, Parts: []Part{{Format: SES, Property: "ByteRange=[0 1 2 3]"}}}
	value := Value{Bytes: []byte{6}, Notes: []Note{{"timestamp-not-had", "Nobody answered."}}}
	for _, v := range []any{&profile, &act, &value} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		back := reflect.New(reflect.TypeOf(v).Elem()).Interface()
		if err := json.Unmarshal(b, back); err != nil || !reflect.DeepEqual(v, back) {
			t.Errorf("%s came back as %+v (%v)", b, back, err)
		}
	}
	const want = `{"id":"1","document":"判决书","reason":"理由","time":"2026-01-02T03:04:05Z","source":{"SM3":"AQ=="},` +
		`"content":{"SM3":"Ag=="},"parts":[{"format":"ses","property":"ByteRange=[0 1 2 3]"}]}`
	if b, _ := json.Marshal(act); string(b) != want {
		t.Errorf("%s", b)
	}
}
