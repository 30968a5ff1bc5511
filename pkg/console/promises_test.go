package console_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// promises say what the console is to be, and which tests hold it. A test that is not named here may hold more; one that is named and is
// gone fails TestPromisesAreHeld. Figures that depend on the machine stand in docs/performance.md.
var promises = []struct{ what, held string }{
	// Weight
	{"a page has at most 60 KB, the style 20, the script 12, not compressed", "TestPagesAreLight"},
	{"static files are kept for ever under a hash of what they are", "TestStaticFilesAreKeptForEver"},
	{"no request leaves this host", "TestNoRequestLeavesThisHost"},
	{"eight live tails in one browser do not keep the ninth page waiting", "TestTheNinthTabLoads TestAStreamTooManyIsRefused"},
	{"streams leave nothing behind", "TestFiveHundredStreamsLeaveNothingBehind"},

	// Truth
	{"a timeline says why each link did what it did", "TestTheTimelineSaysWhyEachLinkDidWhatItDid"},
	{"answers that differ in values alone are one cause", "TestCausesAreTheSameButForValues"},
	{"an action takes the filter, counted anew, and asks again where there is more than was shown", "TestAReplayIsSeenBeforeAndFollowedToItsEnd TestDeadLettersAreDroppedByTheFilterOrCauseAndNothingElse"},
	{"a queue that is slow is waited for, on every page", "TestASlowQueueIsWaitedFor"},
	{"the live tail goes on after an interruption, with what came meanwhile", "TestTheLiveTailGoesOnAfterAnInterruption"},
	{"a queue that is away is said within two seconds", "TestAQueueThatIsAwayIsSaidOnEveryPageWithinTwoSecondsAndComesBackByItself"},

	// Personal data
	{"no byte holds personal data: pages, lists, addresses, forms' answers, stream, log, audit, what is stored", "TestNoByteHoldsPersonalDataOrASecret TestEveryPageIsWellFormedAndHoldsNoPersonalData TestNewEventsComeByTheStreamMasked"},
	{"no page holds a secret, whoever asks", "TestNoByteHoldsPersonalDataOrASecret"},
	{"who may not see personal data is refused; who may is written down first", "TestPersonalDataIsShownToWhoMayAfterItIsWrittenDown TestWhatARoleMayNotDoIsRefused"},
	{"what cannot be written down is not shown", "TestAFullAuditShowsNothing"},
	{"a look for a phone is written down masked, and no address holds the number", "TestALookForAPhoneIsWrittenDownMasked TestAnEventIsFoundByIDKeyAndPhoneAndNoAddressHoldsThePhone"},

	// Safety
	{"nothing but signing in, static files and health answers without a session", "TestNothingAnswersWithoutASession"},
	{"method, origin, host, cookie or bearer, and role decide by one table; each answer has its headers", "TestGuardAsATable TestGuardLetsThroughWhatItShould"},
	{"looking changes nothing", "TestLookingChangesNothing"},
	{"a sixth wrong key in a minute is not looked at; a right one from elsewhere is", "TestTheSixthWrongKeyInAMinuteIsNotLookedAt"},
	{"a session ends by signing out, by itself, and with the person's line in the file, on every console", "TestSigningOutEndsTheSessionEverywhere TestASessionEndsByItselfAndOnEveryConsole TestWhoSignsInMayWhatTheFileSaysNow"},
	{"keys never cross the network in the clear", "TestPlainHTTPIsForThisMachineAlone"},

	// People
	{"every page takes filled, empty and hostile values in both languages, and they never become markup", "TestEveryTemplateTakesEveryView TestWordsHaveTwins"},
	{"every route is reached by a link or a form", "TestEveryRouteIsReachedByALinkOrAForm"},
	{"axe-core finds nothing, light, dark and on a phone; no page is wider than a phone; the header is one line at 1200 pixels", "TestNobodyIsKeptOut"},
	{"everything is reached by the keyboard, and one sees where one is", "TestEverythingIsReachedByTheKeyboard"},
	{"nothing moves under the hand when a region renews itself", "TestTheFocusStaysWhenTheOverviewRenewsItself TestTheOverviewRenewsItselfAndLeavesWhoReadsAlone"},
	{"on a phone each cell of a table has the name of its column before it", "TestOnAPhoneEachCellHasTheNameOfItsColumn"},
	{"without scripts one signs in and out, finds, reads, stops, starts and sends again", "TestWithoutScriptsOneSignsInFindsAndReads TestWithoutScriptsEverythingIsDone"},
	{"times are of the site's zone, with their UTC behind them", "TestTimesAreOfTheSite"},
}

// TestPromisesAreHeld finds a test that is named and is not there.
func TestPromisesAreHeld(t *testing.T) {
	var source strings.Builder
	files, err := filepath.Glob("*_test.go")
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		source.Write(text)
	}
	for _, p := range promises {
		for _, name := range strings.Fields(p.held) {
			if !regexp.MustCompile(`(?m)^func ` + name + `\(`).MatchString(source.String()) {
				t.Errorf("%s: there is no %s", p.what, name)
			}
		}
	}
}
