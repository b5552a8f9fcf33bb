package cardseal

import (
	"bytes"
	"cmp"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"
)

// encoding/json writes a value whole into a buffer of its own, which grows by copying, before anybody sees a byte: at its
// peak that is more than all else here takes. So a long value of a plain type is given to it in parts, each of which it
// writes as it would inside of the whole. Only brackets, commas and the names of members are put between them here.
const (
	// longBytes is from about where on a value is written in parts: below, its text is no matter.
	longBytes = 64 << 10
	// partBytes is about how long a part is: longer than any character, and a multiple of three, so that bytes in base64 have
	// padding at their end alone.
	partBytes = 12 << 10
)

// form is what writing in parts knows of a plain type. Such a type holds none that holds it.
type form struct {
	t reflect.Type
	// bytes are about those that a value takes as text without what grows with it.
	bytes   int
	grows   bool
	kind    reflect.Kind
	fields  []formField // of a struct, those that are written
	growing []formField // those of them that grow
	element *form       // of a slice or pointer
	isDeep  atomic.Bool // whether a value was long that did not look so
	// members are the fields as they are written in parts.
	members func() []formMember
}

type formField struct {
	*form
	index int
}

// formMember is a field that is written by itself.
type formMember struct {
	formField
	// alone is a struct with this field and no other, which says whether it is left out, and what its options make of it.
	alone reflect.Type
	// name stands in front of the value, with its colon. It is empty where the value is never written in parts.
	name []byte
}

func formOf(t reflect.Type) *form {
	if known, ok := forms.Load(t); ok {
		return known.(*form)
	}
	found := &form{t: t, kind: t.Kind(), bytes: 8} // a number or so
	switch kind := t.Kind(); {
	case t == timeType:
		found.bytes = len(`"2006-01-02T15:04:05.999999999+07:00"`)
	case kind == reflect.String:
		found.bytes, found.grows = len(`""`), true
	case kind == reflect.Slice || kind == reflect.Pointer:
		found.bytes, found.grows, found.element = len(`null`), true, formOf(t.Elem())
	case kind == reflect.Array: // what grows in it is not looked for
		found.bytes = len(`[]`) + t.Len()*formOf(t.Elem()).bytes
	case kind == reflect.Struct:
		found.bytes = len(`{}`)
		for _, path := range encodedFields(t) {
			field := t.Field(path[0]) // nothing is embedded in a plain type
			inner := formOf(field.Type)
			found.fields = append(found.fields, formField{inner, path[0]})
			found.bytes += len(`"":,`) + len(field.Name) + inner.bytes
			if inner.grows {
				found.grows = true
				found.growing = append(found.growing, formField{inner, path[0]})
			}
		}
		found.members = sync.OnceValue(found.findMembers)
	}
	known, _ := forms.LoadOrStore(t, found)
	return known.(*form)
}

var forms sync.Map // from reflect.Type to *form

// findMembers takes long: few types have long values.
func (f *form) findMembers() []formMember {
	members := make([]formMember, len(f.fields))
	for index, inner := range f.fields {
		field := f.t.Field(inner.index)
		members[index] = formMember{formField: inner, alone: structAround(field.Name, field.Type, field.Tag)}
		_, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		saysZero := field.Type.Implements(zeroer) || reflect.PointerTo(field.Type).Implements(zeroer)
		if inner.grows && !saysZero && !strings.Contains(options, "string") {
			members[index].name = nameText(field)
		}
	}
	return members
}

// zeroer has a type that says itself which of its values omitzero leaves out.
var zeroer = reflect.TypeFor[interface{ IsZero() bool }]()

func structAround(name string, t reflect.Type, tag reflect.StructTag) reflect.Type {
	return reflect.StructOf([]reflect.StructField{{Name: name, Type: t, Tag: tag}})
}

// nameText is the name of a field as encoding/json writes it in front of a value.
func nameText(field reflect.StructField) []byte {
	tag := "json:" + strconv.Quote(cmp.Or(nameInTag(field), field.Name)+",")
	var text textBuffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	number := reflect.Zero(structAround(field.Name, reflect.TypeFor[int](), reflect.StructTag(tag)))
	if encoder.Encode(number.Interface()) != nil {
		return nil // never: a number has a JSON form
	}
	name, _ := bytes.CutPrefix(text.written(), []byte("{"))
	name, _ = bytes.CutSuffix(name, []byte("0}\n"))
	return name
}

// isLong tells whether a payload is long, as far as its own fields show: looking further would take a short one as long as
// a tenth of being written. What is long further inside is known of its type once it was met.
func (f *form) isLong(value reflect.Value) bool {
	if f.isDeep.Load() {
		return f.roughly(value) >= longBytes
	}
	if f.kind == reflect.Pointer && !value.IsNil() {
		f, value = f.element, value.Elem()
	}
	if f.kind != reflect.Struct {
		return f.roughly(value) >= longBytes
	}
	sum := f.bytes
	for index := range f.growing {
		switch field := &f.growing[index]; field.kind {
		case reflect.String:
			sum += value.Field(field.index).Len()
		case reflect.Slice:
			sum += value.Field(field.index).Len() * field.element.bytes
		}
	}
	return sum >= longBytes
}

// note takes note of how long a text became that was written whole.
func (f *form) note(bytes, longBytes int) {
	if bytes >= longBytes {
		f.isDeep.Store(true)
	}
}

// roughly is about how many bytes a value takes as text. Of a slice it looks at the first element and the last.
func (f *form) roughly(value reflect.Value) int {
	switch f.kind {
	case reflect.String:
		return f.bytes + value.Len()
	case reflect.Struct:
		sum := f.bytes
		for _, field := range f.growing {
			if inner := value.Field(field.index); field.kind == reflect.String {
				sum += inner.Len()
			} else {
				sum += field.roughly(inner) - field.bytes
			}
		}
		return sum
	case reflect.Slice:
		length := value.Len()
		if length == 0 || !f.element.grows {
			return f.bytes + length*f.element.bytes
		}
		first := f.element.roughly(value.Index(0))
		if length == 1 {
			return f.bytes + first
		}
		return f.bytes + length*(first+f.element.roughly(value.Index(length-1)))/2
	case reflect.Pointer:
		if !value.IsNil() {
			return f.element.roughly(value.Elem())
		}
	}
	return f.bytes
}

// cutter writes values in parts.
type cutter struct {
	*scratch
	longBytes, partBytes int
	// most is how much text can be sealed.
	most int
}

// value writes a value, in parts if it is long.
func (c cutter) value(f *form, value reflect.Value) error {
	switch kind := f.t.Kind(); {
	case f.roughly(value) < c.longBytes || !f.grows:
		if value.CanAddr() {
			value = value.Addr() // else Interface would copy it
		}
		return c.part(value.Interface(), 0)
	case kind == reflect.Pointer:
		if value.IsNil() {
			return c.part(nil, 0)
		}
		return c.value(f.element, value.Elem())
	case kind == reflect.Struct:
		return c.members(f, value)
	case kind == reflect.String:
		text := value.String()
		return c.text(len(text), func(start, end int) (any, int) {
			end = runeStart(text, end)
			return text[start:end], end
		})
	case isText(f.t) && !value.IsNil():
		inside := value.Bytes()
		return c.text(len(inside), func(start, end int) (any, int) { return inside[start:end], end })
	case !value.IsNil():
		return c.elements(f.element, value)
	}
	return c.part(value.Interface(), 0) // null
}

func (c cutter) members(f *form, value reflect.Value) error {
	c.json.add('{')
	for _, member := range f.members() {
		field, before := value.Field(member.index), len(c.json.bytes)
		if len(member.name) == 0 || member.roughly(field) < c.longBytes || field.IsZero() { // a zero value may be left out
			alone := reflect.New(member.alone)
			alone.Elem().Field(0).Set(field)
			if err := c.part(alone.Interface(), len("{")); err != nil {
				return err
			}
		} else {
			c.json.add(member.name...)
			if err := c.value(member.form, field); err != nil {
				return err
			}
		}
		if len(c.json.bytes) > before { // else it is left out
			c.json.add(',')
		}
	}
	c.json.close('}')
	return nil
}

func (c cutter) elements(f *form, value reflect.Value) error {
	c.json.add('[')
	length := value.Len()
	for done := 0; done < length; {
		end := c.endOfPart(f, value, done)
		before := len(c.json.bytes)
		var err error
		if end == done+1 {
			err = c.value(f, value.Index(done))
		} else {
			err = c.part(value.Slice(done, end).Interface(), len("["))
			f.note(len(c.json.bytes)-before, c.longBytes)
			c.expect(len(c.json.bytes)-before, end-done, length-end)
		}
		if err != nil {
			return err
		}
		c.json.add(',')
		done = end
	}
	c.json.close(']')
	return nil
}

// endOfPart is where the part ends that begins with an element. A long element is a part by itself. Where looking at each
// takes long, and none of the type was found to be long, the first one tells of those behind it.
func (c cutter) endOfPart(f *form, value reflect.Value, start int) int {
	first := f.roughly(value.Index(start))
	if isTold := f.kind != reflect.String && !f.isDeep.Load(); isTold || first >= c.longBytes {
		return min(start+max(c.partBytes/max(first, 1), 1), value.Len())
	}
	end := start + 1
	for sum := first; end < value.Len() && sum < c.partBytes; end++ {
		one := f.roughly(value.Index(end))
		if one >= c.longBytes {
			break
		}
		sum += one
	}
	return end
}

// text writes a string of so many bytes. The part from start on is asked for, with the end that it should have, and where
// it does end.
func (c cutter) text(length int, part func(start, end int) (any, int)) error {
	c.json.add('"')
	start := len(c.json.bytes)
	for done := 0; done < length; {
		piece, end := part(done, min(done+c.partBytes, length))
		if err := c.part(piece, len(`"`)); err != nil {
			return err
		}
		done = end
		c.expect(len(c.json.bytes)-start, done, length-done)
	}
	c.json.add('"')
	return nil
}

// runeStart is an offset, or one of the three before it, at which no character is cut, whether text is UTF-8 or not.
func runeStart(text string, at int) int {
	for back := range utf8.UTFMax {
		if at == len(text) || utf8.RuneStart(text[at-back]) {
			return at - back
		}
	}
	return at // behind a whole character, in bytes that belong to none
}

// expect makes room at once for what is left, after so much was written for what is done. What is too much is not touched,
// and a page that nobody has touched takes no memory.
func (c cutter) expect(written, done, left int) {
	if left > 0 {
		room := float64(written) / float64(done) * float64(left)
		room = min(room, float64(c.most))
		c.json.room(int(room), int(room)/8)
	}
}

// part has encoding/json write a value, without so many bytes at both of its ends.
func (c cutter) part(value any, around int) error {
	c.json.skip = around
	if err := c.encoder.Encode(value); err != nil {
		return err
	}
	c.json.bytes = c.json.bytes[:len(c.json.bytes)-around-len("\n")]
	return nil
}

// textBuffer is JSON text on its way to be sealed: behind room for a stamp, so that none needs a copy.
type textBuffer struct {
	bytes []byte
	skip  int // how much of what comes is left out
}

// written is the text.
func (b *textBuffer) written() []byte {
	if len(b.bytes) == 0 {
		return nil
	}
	return b.bytes[stampRoom:]
}

// Write takes what encoding/json has written.
func (b *textBuffer) Write(text []byte) (int, error) {
	skipped := min(b.skip, len(text))
	b.skip -= skipped
	b.add(text[skipped:]...)
	return len(text), nil
}

func (b *textBuffer) add(text ...byte) {
	b.room(len(text), 0)
	b.bytes = append(b.bytes, text...)
}

// addString is add for a string.
func (b *textBuffer) addString(text string) {
	b.room(len(text), 0)
	b.bytes = append(b.bytes, text...)
}

// close ends what the last comma goes on with.
func (b *textBuffer) close(bracket byte) {
	if last := &b.bytes[len(b.bytes)-1]; *last == ',' {
		*last = bracket
	} else {
		b.add(bracket)
	}
}

// room makes room, and more if it has to be made. What was there is wiped where it stood.
func (b *textBuffer) room(n, more int) {
	length := max(len(b.bytes), stampRoom)
	if cap(b.bytes) < length+n {
		before := b.bytes
		b.bytes = make([]byte, length, max(length+n+more, cap(before)+cap(before)/2))
		copy(b.bytes, before)
		clear(before)
	}
	b.bytes = b.bytes[:length]
}

// wipe empties the buffer and keeps its memory.
func (b *textBuffer) wipe() {
	clear(b.bytes)
	b.bytes, b.skip = b.bytes[:0], 0
}
