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
	// Speed and weight
	{"no handler reads a stream from its beginning", "TestNoHandlerReadsAStreamFromItsBeginning admin:TestLongListsAreReadFromTheirNewestEndPartByPart"},
	{"a console that has not read all says so, and shows nothing as 0 that is not known", "TestAConsoleThatHasReadNothingSaysSoAndShowsNoNumber admin:TestABoardThatHasReadHalfSaysHowMuchAndCountsNothing"},
	{"a page has at most 60 KB, with a hundred links too, the style 20, the script 12, not compressed", "TestPagesAreLight TestPagesAreLightWithAHundredLinks"},
	{"static files are kept for ever under a hash of what they are", "TestStaticFilesAreKeptForEver"},
	{"no request leaves this host", "TestNoRequestLeavesThisHost"},
	{"eight live tails in one browser do not keep the ninth page waiting", "TestTheNinthTabLoads TestAStreamTooManyIsToldSoAndTakesNoPlace TestAFifthLiveTailSaysWhyNothingComes"},
	{"streams leave nothing behind", "TestFiveHundredStreamsLeaveNothingBehind TestStreamsOfManyPeopleAreBounded TestAStreamOverHTTP2OutlivesASilence TestWhoReadsNothingOfAStreamLosesItsPlace"},

	// Truth
	{"a timeline says why each link did what it did, and what the command says", "TestTheTimelineSaysWhyEachLinkDidWhatItDid TestTheTimelineOfEachOutcomeIsWhatTheCommandSays"},
	{"answers that differ in values alone are one cause, and causes sum up to all that died", "TestCausesAreTheSameButForValues TestCausesSumToWhatTheCommandCounts"},
	{"a preview's groups sum up to its events, and come true", "TestAPreviewSaysWhatTheReplayThenDoes admin:TestManyEventsArePickedFromNotRead"},
	{"an action takes the filter, counted anew, and asks again where there is more than was shown", "TestAReplayIsSeenBeforeAndFollowedToItsEnd TestDeadLettersAreDroppedByTheFilterOrCauseAndNothingElse"},
	{"a queue that is slow is waited for, on every page", "TestASlowQueueIsWaitedFor"},
	{"the live tail goes on after an interruption, with what came meanwhile", "TestTheLiveTailGoesOnAfterAnInterruption"},
	{"a queue that is away is said within two seconds", "TestAQueueThatIsAwayIsSaidOnEveryPageWithinTwoSecondsAndComesBackByItself"},

	// Jobs
	{"a process that is killed at a job loses nothing and does nothing twice; the job goes on", "admin:TestAJobOutlivesKills"},
	{"a job stops within two seconds, and leaves the rest as it was", "admin:TestAJobStopsWhateverItWaitsFor TestAJobIsStoppedAndLetGoOnByItsPage"},
	{"a job keeps its pace within a twentieth", "admin:TestAJobKeepsItsPace admin:TestAPaceIsCaughtUpWithAfterAWait"},
	{"a job that meets a fault of ours has failed, and others go on", "admin:TestAJobThatPanicsHasFailedAndOthersGoOn"},

	// Personal data
	{"no byte holds personal data: pages, lists, addresses, forms' answers, stream, log, audit, what is stored", "TestNoByteHoldsPersonalDataOrASecret TestEveryPageIsWellFormedAndHoldsNoPersonalData TestNewEventsComeByTheStreamMasked"},
	{"no page holds a secret, whoever asks", "TestNoByteHoldsPersonalDataOrASecret"},
	{"who may not see personal data is refused; who may is written down first", "TestPersonalDataIsShownToWhoMayAfterItIsWrittenDown TestWhatARoleMayNotDoIsRefused"},
	{"what cannot be written down is not shown", "TestAFullAuditShowsNothing"},
	{"a look for a phone is written down masked, and no address holds the number", "TestALookForAPhoneIsWrittenDownMasked TestAnEventIsFoundByIDKeyAndPhoneAndNoAddressHoldsThePhone"},
	{"a look for a phone is a job, whose number is masked, and whose finds its asker alone opens", "admin:TestALookForANumberIsAJobOfWhoeverWasAsked TestALookForAPhoneIsAJobWhoseFindsItsAskerOpens"},
	{"whoever sees something unmasked, looks for somebody, erases or takes away stands in the audit", "touchbox:TestAuditSaysWhoDidWhat TestATableHasWhatItsListShowsMaskedAndGuarded"},
	{"who was erased is on no page, in no ring and no list", "TestAnErasedPersonIsOnNoPage admin:TestAnErasedPersonIsInNoRingAndNoList"},

	// Safety
	{"nothing but signing in, static files and health answers without a session", "TestNothingAnswersWithoutASession"},
	{"method, origin, host, cookie or bearer, and role decide by one table; each answer has its headers", "TestGuardAsATable TestGuardLetsThroughWhatItShould TestGuardOfTheAPIAsATable"},
	{"looking changes nothing", "TestLookingChangesNothing"},
	{"a sixth wrong key in a minute is not looked at; a right one from elsewhere is", "TestTheSixthWrongKeyInAMinuteIsNotLookedAt TestAWrongKeyAtTheAPIIsSlowedDownAndARightOneElsewhereIsNot"},
	{"a session ends by signing out, by itself, and with the person's line in the file, on every console", "TestSigningOutEndsTheSessionEverywhere TestASessionEndsByItselfAndOnEveryConsole TestWhoSignsInMayWhatTheFileSaysNow TestAPersonMayWhatTheFileSaysAtEachRequest"},
	{"keys never cross the network in the clear, and a console that would have them do so does not start", "TestPlainHTTPIsForThisMachineAlone app:TestReadSettings"},
	// No header signs anybody in, by way of a trusted proxy or not, so there is none to take from one address and to count from another.
	{"nobody is who a header says", "TestAHeaderThatNamesAUserSignsNobodyIn"},
	{"a page can use what the console serves, and nothing else", "TestThePolicyLetsNothingInButTheConsolesOwn"},
	{"a session's cookie is for this host, for requests alone, and over TLS for TLS alone", "TestTheCookieOfASessionIsForThisHostAlone"},
	{"a console answers to its own names, and in the clear to this machine", "TestAConsoleAnswersToItsNamesAlone"},
	{"a key is the whole key, and wrong ones count for who really sent them", "TestAKeyIsTheWholeKey TestWrongKeysCountForWhoReallySentThem"},
	{"who looks at too much personal data is stopped", "TestWhoLooksAtTooMuchPersonalDataIsStopped TestWhatASearchHasFoundIsForgotten"},

	// People
	{"every page takes filled, empty and hostile values in both languages, and they never become markup", "TestEveryTemplateTakesEveryView TestWordsHaveTwins"},
	{"every route is reached by a link or a form", "TestEveryRouteIsReachedByALinkOrAForm"},
	{"axe-core finds nothing, light, dark and on a phone; no page is wider than a phone; the header is one line at 1200 pixels", "TestNobodyIsKeptOut"},
	{"everything is reached by the keyboard, and one sees where one is", "TestEverythingIsReachedByTheKeyboard"},
	{"nothing moves under the hand when a region renews itself", "TestTheFocusStaysWhenTheOverviewRenewsItself TestTheOverviewRenewsItselfAndLeavesWhoReadsAlone"},
	{"on a phone each cell of a table has the name of its column before it", "TestOnAPhoneEachCellHasTheNameOfItsColumn"},
	{"without scripts one signs in and out, finds, reads, stops, starts and sends again", "TestWithoutScriptsOneSignsInFindsAndReads TestWithoutScriptsEverythingIsDone"},
	{"each thing that needs a person says what, since when, what to do and where; whether alerts are sent or not", "TestEachLineThatNeedsAPersonSaysWhatSinceWhenWhatToDoAndWhere TestEachKindOfAttentionHasItsWords watch:TestWhatNeedsAPersonIsKnownWithoutAReceiver"},
	{"a list is the one of the command that it shows, and so is its table", "touchbox:TestEachListOfTheConsoleIsTheOneOfItsCommand touchbox:TestCausesSumUpToTheirCommand"},
	{"times are of the site's zone, with their UTC behind them", "TestTimesAreOfTheSite"},

	// API
	{"each answer is as the document says, which has every route and each status", "TestEveryAnswerOfTheAPIIsAsItsDescriptionSays TestTheDescriptionHasEveryRouteOfTheAPIAndNoOther"},
	{"a cookie opens nothing of the API", "TestACookieOpensNothingOfTheAPI"},
	{"the status is quick, and waits for no answer of the queue", "TestTheStatusIsQuick"},
	{"what there is none of, stands there twice, is empty or too large is refused, and no empty list", "TestTheAPITakesNoBodyThatSaysTwoThings TestWhatIsNotThereIsNoEmptyList TestTheAPITakesNoMalformedAddress"},
}

// rooms are where tests stand that are not of this one, by what stands before their names.
var rooms = map[string]string{"": ".", "admin": "../admin", "watch": "../watch", "touchbox": "../../cmd/touchbox", "app": "../../cmd/internal/app"}

// TestPromisesAreHeld finds a test that is named and is not there.
func TestPromisesAreHeld(t *testing.T) {
	sources := map[string]string{}
	for room, dir := range rooms {
		files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
		if err != nil || len(files) == 0 {
			t.Fatal(dir, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			sources[room] += string(text)
		}
	}
	for _, p := range promises {
		for _, held := range strings.Fields(p.held) {
			room, name, elsewhere := strings.Cut(held, ":")
			if !elsewhere {
				room, name = "", held
			}
			if !regexp.MustCompile(`(?m)^func ` + name + `\(`).MatchString(sources[room]) {
				t.Errorf("%s: there is no %s", p.what, held)
			}
		}
	}
}
