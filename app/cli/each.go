package cli

import (
	"fmt"
	"strings"

	"ringback/callback"
)

// each does one thing to each of the arguments, and says so.
func each[T any](c *console, args []T, done string, do func(T) error) error {
	return try(c, args, done, func(arg T) error {
		if err := do(arg); err != nil {
			return err
		}
		return c.say(done, fmt.Sprint(arg))
	})
}

// try does one thing to each of the arguments. What is wrong with one of several
// is told, and keeps nothing from the others; what would be wrong with all of them
// ends it, and what was not done then is named.
func try[T any](c *console, args []T, done string, do func(T) error) error {
	failed := false
	for i, arg := range args {
		err := do(arg)
		if err == nil {
			continue
		}
		switch callback.ErrorCode(err) {
		case "", callback.CodeForbidden, callback.CodeUnavailable:
			if rest := args[i+1:]; len(rest) > 0 {
				return fmt.Errorf("%w; not %s either: %s", err, done, strings.Trim(fmt.Sprint(rest), "[]"))
			}
			return err
		}
		if len(args) == 1 {
			return err
		}
		failed = true
		c.tell("ringback: %s: %s", text(fmt.Sprint(arg), 200), explain(err))
	}
	if failed {
		return told{exitFailed}
	}
	return nil
}
