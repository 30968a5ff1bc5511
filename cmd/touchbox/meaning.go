package main

import "github.com/touchbox/touchbox/pkg/mindbox"

// meaning says in words what follows from an answer: what is right, or what to look at.
func meaning(v mindbox.Verdict) string {
	if text, ok := meanings()[v.Reason]; ok {
		return text
	}
	return "Mindbox did not answer as it should. A worker would try again later."
}

func meanings() map[mindbox.Reason]string {
	return map[mindbox.Reason]string{
		mindbox.ReasonAccepted:                     "Accepted: Mindbox has queued the operation and executes it within seconds. Look at the customer there.",
		mindbox.ReasonAlreadyProcessed:             "Mindbox knows this transactionId already and has not executed it again.",
		mindbox.ReasonValidation:                   "Mindbox refuses the data. Its message says which field: change the link's body.",
		mindbox.ReasonProtocol:                     "Mindbox refuses the request: the operation's name, the endpoint, or a field that the operation does not know or lacks. Its message says which.",
		mindbox.ReasonUnclear:                      "A success without a word from Mindbox: is this address really Mindbox's? A worker would try a few times, then give up.",
		mindbox.ReasonUnknownState:                 "Mindbox answers with a status that nobody knows. A worker would give the event up.",
		mindbox.ReasonRedirect:                     "A redirect: `url` is not Mindbox's address. It is not followed, so the secret goes nowhere else.",
		mindbox.ReasonCredentials:                  "Mindbox got no secret: set `secret`, and `authorization` if the project wants the other form. A worker would park the endpoint.",
		mindbox.ReasonForbidden:                    "Mindbox refuses the secret: check it and the endpoint it belongs to. A worker would park the endpoint.",
		mindbox.ReasonNotFound:                     "Not found: check `url`. A worker would park the link.",
		mindbox.ReasonRequestTimeout:               "Mindbox gave up waiting for the request. A worker would try again.",
		mindbox.ReasonConflict:                     "Mindbox reports a conflict. A worker would give the event up.",
		mindbox.ReasonClientError:                  "Mindbox refuses the request for good. A worker would give the event up.",
		mindbox.ReasonTooMany:                      "Too many requests: Mindbox asks to come slower. A worker would slow down and try again.",
		mindbox.ReasonServerError:                  "Mindbox has a trouble of its own. A worker would try again.",
		mindbox.Reason(mindbox.FailureTimeout):     "No answer in time. Mindbox may have executed it all the same; a worker would try again with the same transactionId.",
		mindbox.Reason(mindbox.FailureName):        "The host's name does not resolve: check `url` and this machine's DNS.",
		mindbox.Reason(mindbox.FailureConnect):     "Nobody answers at this address: check `url`, the firewall, HTTPS_PROXY.",
		mindbox.Reason(mindbox.FailureTLS):         "The certificate is not trusted: a proxy in between? SSL_CERT_FILE names other authorities.",
		mindbox.Reason(mindbox.FailureConnection):  "The connection broke. A worker would try again with the same transactionId.",
		mindbox.Reason(mindbox.FailureInterrupted): "Interrupted: nobody knows whether Mindbox has executed it.",
	}
}
