// The Go SDK on the conformance scenarios: JSON lines in, JSON lines out (scenarios.yaml).
package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"time"

	sdk "gov.kaimen/sdk/conformance"
)

type request struct {
	BaseURL string `json:"base_url"`
	Action  string `json:"action"`
	Args    args   `json:"args"`
	Client  struct {
		ClientID     string          `json:"client_id"`
		ClientSecret string          `json:"client_secret"`
		AccessToken  string          `json:"access_token"`
		PrivateKey   json.RawMessage `json:"private_key_jwk"`
		DPoP         bool            `json:"dpop"`
		Timeout      float64         `json:"timeout"`
		MaxRetries   *int            `json:"max_retries"`
	} `json:"client"`
}

type args struct {
	ID             string            `json:"id"`
	Times          int               `json:"times"`
	Pause          float64           `json:"pause"`
	Concurrent     int               `json:"concurrent"`
	Raw            bool              `json:"raw"`
	Scenario       string            `json:"scenario"`
	Headers        map[string]string `json:"headers"`
	IdempotencyKey string            `json:"idempotency_key"`
	Item           sdk.NewItem       `json:"item"`
	Change         json.RawMessage   `json:"change"`
	Limit          *int64            `json:"limit"`
	State          *sdk.State        `json:"state"`
	IDs            []string          `json:"ids"`
	Since          *time.Time        `json:"since"`
	Text           *string           `json:"text"`
	Bytes          int64             `json:"bytes"`
	Payload        string            `json:"payload"`
	Secret         string            `json:"secret"`
	PublicKey      string            `json:"public_key"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(make([]byte, 0, 1<<20), 1<<24)
	for lines.Scan() {
		var one request
		out := map[string]any{"ok": true}
		if err := json.Unmarshal(lines.Bytes(), &one); err != nil {
			panic(err)
		}
		value, err := act(context.Background(), one)
		if err != nil {
			out = map[string]any{"ok": false, "error": shown(err)}
		} else {
			out["value"] = value
		}
		data, err := json.Marshal(out)
		if err != nil {
			panic(err)
		}
		fmt.Println(string(data))
	}
}

func clientOf(one request) (*sdk.Client, error) {
	given := sdk.Options{
		BaseURL: one.BaseURL, ClientID: one.Client.ClientID, ClientSecret: one.Client.ClientSecret, AccessToken: one.Client.AccessToken, DPoP: one.Client.DPoP,
		MaxRetries: one.Client.MaxRetries, Timeout: time.Duration(one.Client.Timeout * float64(time.Second)),
	}
	if one.Client.PrivateKey != nil {
		key, id, err := sdk.PrivateKeyFromJWK(one.Client.PrivateKey)
		if err != nil {
			return nil, err
		}
		given.PrivateKey, given.KeyID = key, id
	}
	return sdk.New(given)
}

func act(ctx context.Context, one request) (any, error) {
	client, err := clientOf(one)
	if err != nil {
		return nil, err
	}
	items := client.Conformance.Item
	options := optionsOf(one.Args)
	switch one.Action {
	case "get":
		return get(ctx, items, one.Args, options)
	case "list":
		var ids []string
		pages := items.List(paramsOf(one.Args), options...)
		for pages.Next(ctx) {
			ids = append(ids, pages.Item().ID)
		}
		return ids, pages.Err()
	case "first_page":
		page, err := items.List(paramsOf(one.Args), options...).First(ctx)
		if err != nil {
			return nil, err
		}
		ids := []string{}
		for _, item := range page.Items {
			ids = append(ids, item.ID)
		}
		return map[string]any{"ids": ids, "next": page.NextCursor}, nil
	case "create":
		return flat(items.Create(ctx, one.Args.Item, options...))
	case "update":
		return flat(items.Update(ctx, one.Args.ID, changeOf(one.Args.Change), options...))
	case "delete":
		return nil, items.Delete(ctx, one.Args.ID, options...)
	case "download":
		stream, err := client.Conformance.File.Download(ctx, one.Args.ID, options...)
		if err != nil {
			return nil, err
		}
		defer func() { _ = stream.Close() }()
		digest := sha256.New()
		count, err := io.Copy(digest, stream)
		return map[string]any{"bytes": count, "sha256": hex.EncodeToString(digest.Sum(nil))}, err
	case "upload":
		body := bytes.NewReader(bytes.Repeat([]byte{7}, int(one.Args.Bytes)))
		return nil, client.Conformance.File.Upload(ctx, one.Args.ID, struct{ io.Reader }{body}, options...)
	case "shape":
		shape, err := client.Conformance.Shape.Get(ctx, one.Args.ID, options...)
		if err != nil {
			return nil, err
		}
		if shape.Circle != nil {
			return map[string]any{"type": "circle", "radius": shape.Circle.Radius}, nil
		}
		out := map[string]any{}
		err = json.Unmarshal(shape.Raw, &out)
		out["type"] = "unknown"
		return out, err
	case "webhook":
		return webhook(one.Args)
	case "describe":
		if _, err := items.Get(ctx, "i1"); err != nil {
			return nil, err
		}
		return map[string]any{"text": fmt.Sprintf("%v %+v %#v %s %v %+v", client, client, client, client, *client, client.Sandbox)}, nil
	case "reset":
		records, err := client.Sandbox.Reset(ctx)
		return map[string]any{"records": records}, err
	case "scenarios":
		return map[string]any{"item_get": []string{sdk.ScenarioConformanceItemGetNotFound}}, nil
	}
	return nil, fmt.Errorf("no action %s", one.Action)
}

func optionsOf(a args) []sdk.CallOption {
	var options []sdk.CallOption
	if a.Scenario != "" {
		options = append(options, sdk.WithScenario(a.Scenario))
	}
	if a.IdempotencyKey != "" {
		options = append(options, sdk.WithIdempotencyKey(a.IdempotencyKey))
	}
	for name, value := range a.Headers {
		options = append(options, sdk.WithHeader(name, value))
	}
	return options
}

func paramsOf(a args) *sdk.ConformanceListItemsParams {
	return &sdk.ConformanceListItemsParams{State: a.State, Ids: a.IDs, Since: a.Since, Text: a.Text, Limit: a.Limit}
}

func changeOf(data json.RawMessage) sdk.ItemChange {
	var given map[string]*string
	if err := json.Unmarshal(data, &given); err != nil {
		panic(err)
	}
	change := sdk.ItemChange{}
	if name, ok := given["name"]; ok {
		change.Name = name
	}
	if note, ok := given["note"]; ok {
		change.Note = &sdk.Nullable[string]{Value: note}
	}
	return change
}

func get(ctx context.Context, items *sdk.ConformanceItemResource, a args, options []sdk.CallOption) (any, error) {
	if a.Raw {
		var raw sdk.Raw
		_, err := items.Get(ctx, a.ID, append(options, sdk.WithRaw(&raw))...)
		return map[string]any{"status": raw.Status, "request_id": raw.RequestID, "header": raw.Header.Get("Request-Id")}, err
	}
	if a.Concurrent > 0 {
		var wait sync.WaitGroup
		faults := make([]error, a.Concurrent)
		for place := range faults {
			wait.Add(1)
			go func(place int) {
				defer wait.Done()
				_, faults[place] = items.Get(ctx, a.ID, options...)
			}(place)
		}
		wait.Wait()
		return nil, errors.Join(faults...)
	}
	var last any
	for time_ := 0; time_ < max(a.Times, 1); time_++ {
		if time_ > 0 {
			time.Sleep(time.Duration(a.Pause * float64(time.Second)))
		}
		found, err := flat(items.Get(ctx, a.ID, options...))
		if err != nil {
			return nil, err
		}
		last = found
	}
	return last, nil
}

func flat(item *sdk.Item, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(item)
	if err != nil {
		return nil, err
	}
	out := map[string]any{"note": nil}
	if err := json.Unmarshal(data, &out); err != nil {
		return nil, err
	}
	out["created_at_unix"] = item.CreatedAt.Unix()
	if item.Data != nil {
		out["data"] = string(item.Data)
	}
	return out, nil
}

func webhook(a args) (any, error) {
	header := http.Header{}
	for name, value := range a.Headers {
		header.Set(name, value)
	}
	key := a.Secret
	if key == "" {
		key = a.PublicKey
	}
	event, err := sdk.VerifyWebhook([]byte(a.Payload), header, key)
	if err != nil {
		return nil, err
	}
	data, err := sdk.DataEventConformanceItemClosed(event)
	return map[string]any{"type": event.Type, "id": data.ID}, err
}

func shown(err error) map[string]any {
	var refusal *sdk.APIError
	var lost *sdk.ConnectionError
	var late *sdk.TimeoutError
	var unread *sdk.DecodingError
	var webhook *sdk.WebhookError
	switch {
	case errors.As(err, &refusal):
		out := map[string]any{
			"class": classOf(err), "status": refusal.Status, "type": refusal.Type, "step": refusal.Step, "rule": refusal.Rule,
			"next": refusal.Next, "request_id": refusal.RequestID, "errors": refusal.Errors, "message": err.Error(),
		}
		if refusal.RetryAfter >= 0 {
			out["retry_after"] = refusal.RetryAfter.Seconds()
		}
		return out
	case errors.As(err, &lost):
		return map[string]any{"class": "Connection", "message": err.Error()}
	case errors.As(err, &late):
		return map[string]any{"class": "Timeout", "message": err.Error()}
	case errors.As(err, &unread):
		return map[string]any{"class": "Decoding", "message": err.Error()}
	case errors.As(err, &webhook):
		return map[string]any{"class": "Webhook", "message": err.Error()}
	}
	return map[string]any{"class": "Other", "message": err.Error()}
}

func classOf(err error) string {
	switch {
	case sdk.IsAuthentication(err):
		return "Authentication"
	case sdk.IsPermissionDenied(err):
		return "PermissionDenied"
	case sdk.IsNotFound(err):
		return "NotFound"
	case sdk.IsConflict(err):
		return "Conflict"
	case sdk.IsInvalidRequest(err):
		return "InvalidRequest"
	case sdk.IsRateLimited(err):
		return "RateLimited"
	case sdk.IsServerError(err):
		return "Server"
	}
	return "Api"
}
