// The Go SDK as a driver of the certificate: the protocol of `kaimen parity`, each call by dispatch.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"time"

	sdk "gov.kaimen/sdk/parity"
)

const tries = 8 // of a call that a quota turns away

type unsaid string

func (u unsaid) Error() string { return string(u) }

type question struct {
	Case           string          `json:"case"`
	Service        string          `json:"service"`
	Operation      string          `json:"operation"`
	Parameters     []parameter     `json:"parameters"`
	Body           json.RawMessage `json:"body"`
	WithToken      bool            `json:"with_token"`
	Scenario       string          `json:"scenario"`
	Purpose        string          `json:"purpose"`
	IdempotencyKey string          `json:"idempotency_key"`
}

type parameter struct {
	Name  string          `json:"name"`
	Value json.RawMessage `json:"value"`
}

type told struct {
	Case      string `json:"case"`
	Status    int    `json:"status"`
	Body      any    `json:"body"`
	Synthetic bool   `json:"synthetic"`
	Unsaid    string `json:"unsaid"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 0, 1<<20), 1<<24)
	var begin struct {
		Origin string `json:"origin"`
		Token  string `json:"token"`
	}
	lines.Scan()
	if err := json.Unmarshal(lines.Bytes(), &begin); err != nil {
		panic(err)
	}
	client, err := sdk.New(sdk.Options{BaseURL: begin.Origin, AccessToken: begin.Token})
	if err != nil {
		panic(err)
	}
	fmt.Println(`{"kaimen_parity": 1}`)
	for lines.Scan() {
		var one question
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			panic(err)
		}
		data, err := json.Marshal(ask(client, one))
		if err != nil {
			panic(err)
		}
		fmt.Println(string(data))
	}
}

// isSaid tells whether a value of the SDK's types writes the JSON that was to be sent.
func isSaid(sent json.RawMessage, value any) bool {
	made, err := json.Marshal(value)
	var wanted, found any
	if err != nil || json.Unmarshal(sent, &wanted) != nil || json.Unmarshal(made, &found) != nil {
		return false
	}
	return reflect.DeepEqual(wanted, found)
}

func ask(client *sdk.Client, one question) told {
	if !one.WithToken {
		return told{Case: one.Case, Unsaid: "an SDK sends its token with every call"}
	}
	values := map[string]json.RawMessage{}
	for _, each := range one.Parameters {
		values[each.Name] = each.Value
	}
	var raw sdk.Raw
	options := []sdk.CallOption{sdk.WithHeader("Accept-Language", "en"), sdk.WithMaxRetries(0), sdk.WithRaw(&raw)}
	if one.Purpose != "" {
		options = append(options, sdk.WithHeader("Kaimen-Purpose", one.Purpose))
	}
	if one.Scenario != "" {
		options = append(options, sdk.WithScenario(one.Scenario))
	}
	if one.IdempotencyKey != "" {
		options = append(options, sdk.WithIdempotencyKey(one.IdempotencyKey))
	}
	for attempt := 1; ; attempt++ {
		value, err := dispatch(context.Background(), client, one.Service+"/"+one.Operation, values, one.Body, options)
		var why unsaid
		var refused *sdk.APIError
		switch {
		case err == nil:
			return told{Case: one.Case, Status: raw.Status, Body: value, Synthetic: raw.Header.Get("Kaimen-Sandbox") == "synthetic"}
		case errors.As(err, &why):
			return told{Case: one.Case, Unsaid: string(why)}
		case !errors.As(err, &refused):
			panic(err)
		case refused.Status != 429 || attempt == tries:
			return told{Case: one.Case, Status: refused.Status, Body: refused.Problem}
		}
		wait := refused.RetryAfter
		if wait < 0 || wait > 30*time.Second {
			wait = time.Second
		}
		time.Sleep(wait)
	}
}
