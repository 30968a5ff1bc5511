package admin_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/touchbox/touchbox/pkg/admin"
)

func TestASignInLinkWorksOnce(t *testing.T) {
	h := newHouse(t)
	token, err := h.Invite(t.Context(), admin.Session{Name: "olga", Role: "admin"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := h.Accept(t.Context(), token)
	if err != nil || s.Name != "olga" || s.Role != "admin" {
		t.Fatalf("%+v, %v", s, err)
	}
	for _, used := range []string{token, "never made", ""} {
		if _, err := h.Accept(t.Context(), used); !errors.Is(err, admin.ErrNoSession) {
			t.Errorf("accepted %q: %v", used, err)
		}
	}
}

func TestOfTwoWhoFollowALinkOneIsSignedIn(t *testing.T) {
	h := newHouse(t)
	token, err := h.Invite(t.Context(), admin.Session{Name: "olga"})
	if err != nil {
		t.Fatal(err)
	}
	const both = 2
	done := make(chan error, both)
	for range both {
		go func() { _, err := h.Accept(t.Context(), token); done <- err }()
	}
	signedIn := 0
	for range both {
		switch err := <-done; {
		case err == nil:
			signedIn++
		case !errors.Is(err, admin.ErrNoSession):
			t.Error(err)
		}
	}
	if signedIn != 1 {
		t.Errorf("%d were signed in", signedIn)
	}
}

func TestASessionEndsAtSignOutAtIdleAndAfterAWeek(t *testing.T) {
	h := newHouse(t)
	now := time.Now()
	h.Now = func() time.Time { return now }
	const idle = time.Hour
	open := func() string {
		token, err := h.Open(t.Context(), admin.Session{Name: "anna", Role: "see"}, idle)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	is := func(token string, want error) {
		t.Helper()
		if s, err := h.Session(t.Context(), token, idle); !errors.Is(err, want) || want == nil && s.Name != "anna" {
			t.Errorf("%+v, %v, want %v", s, err, want)
		}
	}
	left, idled, busy := open(), open(), open()
	is(left, nil)
	if err := h.Close(t.Context(), left); err != nil {
		t.Fatal(err)
	}
	is(left, admin.ErrNoSession)
	began := now
	for now = now.Add(50 * time.Minute); now.Sub(began) < 7*24*time.Hour; now = now.Add(50 * time.Minute) {
		is(busy, nil)
	}
	is(busy, admin.ErrNoSession)
	is(idled, admin.ErrNoSession)
	is("made up", admin.ErrNoSession)
}

// A person's one session is ended by its id, all of them by their name, and nobody else's.
func TestSessionsAreEndedByNameOrByID(t *testing.T) {
	h := newHouse(t)
	for _, name := range []string{"anna", "anna", "oleg"} {
		if _, err := h.Open(t.Context(), admin.Session{Name: name, Role: "see"}, time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	names := func() (out []string) {
		list, err := h.Sessions(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			out = append(out, s.Name)
		}
		slices.Sort(out)
		return out
	}
	list, err := h.Sessions(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(s admin.Session) bool { return s.Name == "anna" })
	for _, tt := range []struct {
		name, id string
		ended    int
		left     []string
	}{{"oleg", list[i].ID, 0, []string{"anna", "anna", "oleg"}}, {"anna", list[i].ID, 1, []string{"anna", "oleg"}}, {"anna", "", 1, []string{"oleg"}}} {
		if n, err := h.EndSessions(t.Context(), tt.name, tt.id); n != tt.ended || err != nil || !slices.Equal(names(), tt.left) {
			t.Errorf("%+v: %d ended, %v, left %v", tt, n, err, names())
		}
	}
}
