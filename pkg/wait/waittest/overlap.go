package waittest

import (
	"flag"
	"fmt"
	"runtime"
)

// perCore is how many tests that wait most of their time run beside each other, for each core.
const perCore = 4

// Overlap lets more parallel tests run beside each other than there are cores, because those of the
// package wait most of their time. TestMain calls it. The flag -parallel goes before it; with the race
// detector, which makes tests compute more than they wait, all stays as it is.
func Overlap() {
	if !flag.Parsed() {
		flag.Parse()
	}
	given := race
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "test.parallel" })
	if given {
		return
	}
	if err := flag.Set("test.parallel", fmt.Sprint(perCore*runtime.GOMAXPROCS(0))); err != nil {
		panic(err)
	}
}
