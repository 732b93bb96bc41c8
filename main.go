// Command ringback is a webhook and callback delivery appliance: see README.md.
package main

import (
	"os"

	"ringback/app/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:])) }
