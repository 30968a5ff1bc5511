package expression

import "testing"

// TestEachFunctionHasItsUsage: of ours, so that a call with wrong arguments is answered by a right one.
func TestEachFunctionHasItsUsage(t *testing.T) {
	for _, name := range Functions() {
		if usages[name] == "" {
			t.Errorf("no usage of %s", name)
		}
	}
}
