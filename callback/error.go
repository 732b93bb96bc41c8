package callback

import (
	"errors"
	"fmt"
	"strings"
)

// Code says what kind of fault an Error is. The HTTP front end maps each to
// one status code.
type Code string

// The codes of Error.
const (
	CodeMalformed   Code = "malformed"   // the input could not be read at all
	CodeInvalid     Code = "invalid"     // read, but a field is wrong
	CodeNotFound    Code = "not found"   // nothing has that name or id
	CodeConflict    Code = "conflict"    // not possible in the present state
	CodeStale       Code = "stale"       // somebody else changed it first
	CodeForbidden   Code = "forbidden"   // the caller may not
	CodeUnavailable Code = "unavailable" // not now: disk full, shutting down, overloaded
)

// Error is a fault that its receiver may read. Every other error is an
// internal one: outside it reads "internal error", the log has the whole.
type Error struct {
	Code    Code
	Message string
	Fields  []FieldError // which fields are at fault, where fields are
}

// FieldError names one field, as the input spells it, and what is wrong.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Errorf returns an *Error.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Error implements error.
func (e *Error) Error() string {
	if len(e.Fields) == 0 {
		return e.Message
	}
	parts := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		parts[i] = f.Field + ": " + f.Message
	}
	return e.Message + ": " + strings.Join(parts, "; ")
}

// ErrorCode returns the code of err, or "" when it is an internal error.
func ErrorCode(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}

// faults collects every wrong field of one input.
type faults []FieldError

func (f *faults) add(field, format string, args ...any) {
	*f = append(*f, FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
}

func (f faults) err(what string) error {
	if len(f) == 0 {
		return nil
	}
	return &Error{Code: CodeInvalid, Message: what + " is not valid", Fields: f}
}
