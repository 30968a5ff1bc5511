//go:build race

package waittest

const race = true
