package pipeline_test

import (
	"fmt"
	"time"

	"github.com/touchbox/touchbox/pkg/event"
	"github.com/touchbox/touchbox/pkg/pipeline"
)

func ExampleTransactionID() {
	key, _ := event.ParseKey("10001/call-ended/148071")
	fmt.Println(pipeline.TransactionID("clinic.Website", "CallTouch", "calls-dynamic", key, ""))
	// Output: 9140eb82-0507-5ceb-b1a4-0b57f40bc2d0
}

func ExampleBackoff() {
	wait := pipeline.Backoff(3, 15*time.Minute)
	fmt.Println(wait >= 0 && wait <= 20*time.Second)
	// Output: true
}
