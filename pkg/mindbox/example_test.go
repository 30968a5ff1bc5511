package mindbox_test

import (
	"context"
	"fmt"
	"net/http/httptest"

	"github.com/touchbox/touchbox/pkg/mindbox"
	"github.com/touchbox/touchbox/pkg/mindbox/mindboxtest"
)

func ExampleClient_Deliver() {
	far := httptest.NewServer(mindboxtest.New(mindboxtest.Config{}))
	defer far.Close()
	client, err := mindbox.New(mindbox.Config{URL: far.URL, Secret: func() string { return "key" }})
	if err != nil {
		fmt.Println(err)
		return
	}
	operation := mindbox.Operation{Endpoint: "clinic.Website", Name: "CallTouch",
		TransactionID: "966e4287-4858-4504-aba9-b0398bc4e4e4", Body: []byte(`{"customer":{"mobilePhone":"79000000001"}}`)}
	for range 2 {
		verdict := mindbox.Judge(client.Deliver(context.Background(), operation))
		fmt.Println(verdict.Action, verdict.Reason)
	}
	// Output:
	// success accepted
	// success already_processed
}
