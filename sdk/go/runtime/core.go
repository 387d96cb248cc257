// The hand-written part of every Kaimen SDK for Go: tokens, retries, errors, pages, webhooks. Standard library only.

package kaimen

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	mathrand "math/rand"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	earlySeconds     = 30.0
	mostWait         = 60 * time.Second
	backOffFirst     = 250 * time.Millisecond
	webhookTolerance = 5 * time.Minute
	sandboxScope     = "platform:sandbox:write"
)

// Options of a client. What is left empty is read from KAIMEN_BASE_URL, KAIMEN_CLIENT_ID and KAIMEN_CLIENT_SECRET.
type Options struct {
	// BaseURL is the origin of the gateway; http://127.0.0.1:8000 where nothing says otherwise.
	BaseURL      string
	ClientID     string
	ClientSecret string
	// AccessToken is one that you hold already, under a person's consent for instance: sent as it is, never renewed.
	AccessToken string
	// PrivateKey is used in place of the secret: private_key_jwt with ES256.
	PrivateKey *ecdsa.PrivateKey
	// KeyID names the private key among those that are registered.
	KeyID string
	// DPoP binds tokens to a key of this client (RFC 9449).
	DPoP bool
	// Timeout of one attempt; 30 s.
	Timeout time.Duration
	// MaxRetries after the first attempt, of what may be repeated; nil is 2.
	MaxRetries *int
	// Scopes to ask for; those of all operations of the package.
	Scopes []string
	// Scenario of the sandbox for every call.
	Scenario string
	// HTTPClient brings proxies and certificates of its own; redirects are never followed.
	HTTPClient *http.Client
}

// CallOption changes one call.
type CallOption func(*callOptions)

type callOptions struct {
	key        string
	scenario   string
	timeout    time.Duration
	maxRetries *int
	headers    http.Header
	raw        *Raw
}

// WithIdempotencyKey uses this key in place of a fresh one.
func WithIdempotencyKey(key string) CallOption { return func(o *callOptions) { o.key = key } }

// WithScenario plays a scenario of the sandbox.
func WithScenario(id string) CallOption { return func(o *callOptions) { o.scenario = id } }

// WithTimeout bounds each attempt.
func WithTimeout(d time.Duration) CallOption { return func(o *callOptions) { o.timeout = d } }

// WithMaxRetries bounds the repetitions.
func WithMaxRetries(n int) CallOption { return func(o *callOptions) { o.maxRetries = &n } }

// WithHeader sends a header of your own.
func WithHeader(name, value string) CallOption {
	return func(o *callOptions) {
		if o.headers == nil {
			o.headers = http.Header{}
		}
		o.headers.Set(name, value)
	}
}

// WithRaw fills raw with the response that the value came in.
func WithRaw(raw *Raw) CallOption { return func(o *callOptions) { o.raw = raw } }

// Raw is what came with a value.
type Raw struct {
	Status    int
	Header    http.Header
	RequestID string
}

// --- errors -----------------------------------------------------------------------------------------

// ConnectionError: no answer was to be had.
type ConnectionError struct{ Err error }

func (e *ConnectionError) Error() string { return "kaimen: connection failed: " + e.Err.Error() }
func (e *ConnectionError) Unwrap() error { return e.Err }

// TimeoutError: the answer took too long.
type TimeoutError struct{ Err error }

func (e *TimeoutError) Error() string { return "kaimen: no answer in time: " + e.Err.Error() }
func (e *TimeoutError) Unwrap() error { return e.Err }

// DecodingError: the answer does not fit the contract.
type DecodingError struct {
	RequestID string
	Err       error
}

func (e *DecodingError) Error() string {
	return fmt.Sprintf("kaimen: the answer cannot be read (%s): %v", e.RequestID, e.Err)
}
func (e *DecodingError) Unwrap() error { return e.Err }

// WebhookError: a delivery that is not to be trusted.
type WebhookError struct{ Reason string }

func (e *WebhookError) Error() string { return "kaimen: webhook: " + e.Reason }

// FieldError is one fault of a request.
type FieldError struct {
	Pointer string `json:"pointer"`
	Message string `json:"message"`
}

// APIError is a refusal, with the step and the rule that refused and what to do next (RFC 9457).
type APIError struct {
	Status    int          `json:"status"`
	Type      string       `json:"type"`
	Title     string       `json:"title"`
	Detail    string       `json:"detail"`
	Step      string       `json:"step"`
	Rule      string       `json:"rule"`
	Next      string       `json:"next"`
	RequestID string       `json:"request_id"`
	Errors    []FieldError `json:"errors"`
	// RetryAfter is negative where the server did not say when to come again.
	RetryAfter time.Duration  `json:"-"`
	Header     http.Header    `json:"-"`
	Problem    map[string]any `json:"-"`
}

func (e *APIError) Error() string {
	said := e.Detail
	if said == "" {
		said = e.Title
	}
	return strings.TrimSpace(fmt.Sprintf("kaimen: %d %s %s (%s)", e.Status, said, e.Next, e.RequestID))
}

func isStatus(err error, fits func(int) bool) bool {
	var found *APIError
	return errors.As(err, &found) && fits(found.Status)
}

// IsAuthentication tells whether the credential or token was refused (401, or 400 at the token endpoint).
func IsAuthentication(err error) bool {
	var found *APIError
	return errors.As(err, &found) && (found.Status == 401 || found.Step == "token" && found.Status == 400)
}

// IsPermissionDenied tells whether a right is missing (403).
func IsPermissionDenied(err error) bool { return isStatus(err, func(s int) bool { return s == 403 }) }

// IsNotFound tells whether there is no such thing (404, 410).
func IsNotFound(err error) bool {
	return isStatus(err, func(s int) bool { return s == 404 || s == 410 })
}

// IsConflict tells whether the present state forbids it (409).
func IsConflict(err error) bool { return isStatus(err, func(s int) bool { return s == 409 }) }

// IsInvalidRequest tells whether the request is wrong (400, 422).
func IsInvalidRequest(err error) bool {
	return isStatus(err, func(s int) bool { return s == 400 || s == 422 })
}

// IsRateLimited tells whether a quota is used up (429).
func IsRateLimited(err error) bool { return isStatus(err, func(s int) bool { return s == 429 }) }

// IsServerError tells whether the platform or the department failed (5xx).
func IsServerError(err error) bool { return isStatus(err, func(s int) bool { return s >= 500 }) }

// --- values -----------------------------------------------------------------------------------------

// Date is a calendar day, YYYY-MM-DD.
type Date string

// Decimal is a number that must not lose digits, as text.
type Decimal string

// Nullable is a value that may be null: a nil *Nullable leaves the member out, one without Value sends null.
type Nullable[T any] struct{ Value *T }

// Null gives the null of a nullable member.
func Null[T any]() *Nullable[T] { return &Nullable[T]{} }

// Some gives a nullable member a value.
func Some[T any](value T) *Nullable[T] { return &Nullable[T]{Value: &value} }

// Ptr gives the address of a value, for optional members.
func Ptr[T any](value T) *T { return &value }

// MarshalJSON writes the value or null.
func (n Nullable[T]) MarshalJSON() ([]byte, error) { return json.Marshal(n.Value) }

// UnmarshalJSON reads the value or null.
func (n *Nullable[T]) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &n.Value) }

func readUnknown(data []byte, known map[string]bool) (map[string]json.RawMessage, error) {
	var found map[string]json.RawMessage
	if err := json.Unmarshal(data, &found); err != nil {
		return nil, err
	}
	for name := range found {
		if known[name] {
			delete(found, name)
		}
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found, nil
}

func writeUnknown(made []byte, unknown map[string]json.RawMessage) ([]byte, error) {
	if len(unknown) == 0 {
		return made, nil
	}
	names := make([]string, 0, len(unknown))
	for name := range unknown {
		names = append(names, name)
	}
	sort.Strings(names)
	out := bytes.TrimSuffix(made, []byte("}"))
	for _, name := range names {
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		if len(out) > 1 {
			out = append(out, ',')
		}
		out = append(append(append(out, key...), ':'), unknown[name]...)
	}
	return append(out, '}'), nil
}

func hasMembers(data []byte, names ...string) bool {
	var found map[string]json.RawMessage
	if json.Unmarshal(data, &found) != nil {
		return false
	}
	for _, name := range names {
		if _, ok := found[name]; !ok {
			return false
		}
	}
	return true
}

func tagOf(data []byte, property string) string {
	var found map[string]json.RawMessage
	var tag string
	if json.Unmarshal(data, &found) != nil || json.Unmarshal(found[property], &tag) != nil {
		return ""
	}
	return tag
}

// --- tokens -----------------------------------------------------------------------------------------

type token struct {
	value string
	until time.Time
}

type tokens struct {
	transport *transport
	mutex     sync.Mutex
	kept      map[string]token
	asking    map[string]*asking
	proving   *ecdsa.PrivateKey
	nonces    map[string]string
	skew      time.Duration
}

type asking struct {
	done  chan struct{}
	value string
	err   error
}

func (t *tokens) get(ctx context.Context, scope string) (string, error) {
	if own := t.transport.options.AccessToken; own != "" {
		return own, nil
	}
	t.mutex.Lock()
	if known, ok := t.kept[scope]; ok && time.Now().Before(known.until) {
		t.mutex.Unlock()
		return known.value, nil
	}
	one, ok := t.asking[scope]
	if !ok { // callers at the same moment share one request
		one = &asking{done: make(chan struct{})}
		t.asking[scope] = one
		go func() {
			one.value, one.err = t.ask(context.Background(), scope) // shared: one caller that goes away takes nothing from the others
			t.mutex.Lock()
			delete(t.asking, scope)
			t.mutex.Unlock()
			close(one.done)
		}()
	}
	t.mutex.Unlock()
	select {
	case <-one.done:
		return one.value, one.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

func (t *tokens) forget(scope, value string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.kept[scope].value == value {
		delete(t.kept, scope)
	}
}

func (t *tokens) saw(header http.Header) {
	if at, err := http.ParseTime(header.Get("Date")); err == nil {
		t.mutex.Lock()
		t.skew = time.Until(at)
		t.mutex.Unlock()
	}
}

func (t *tokens) now() time.Time {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return time.Now().Add(t.skew)
}

func (t *tokens) nonce(place string) string {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	return t.nonces[place]
}

func (t *tokens) setNonce(place, nonce string) {
	if nonce != "" {
		t.mutex.Lock()
		t.nonces[place] = nonce
		t.mutex.Unlock()
	}
}

func (t *tokens) ask(ctx context.Context, scope string) (string, error) {
	place := t.transport.baseURL + "/oauth/token"
	for attempt := 0; ; attempt++ {
		form := url.Values{"grant_type": {"client_credentials"}}
		if scope != "" {
			form.Set("scope", scope)
		}
		header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"}}
		if err := t.identify(form, header); err != nil {
			return "", err
		}
		if t.transport.options.DPoP {
			proof, err := t.proof(http.MethodPost, place, "", t.nonce("token"))
			if err != nil {
				return "", err
			}
			header.Set("DPoP", proof)
		}
		response, cancel, err := t.transport.send(ctx, http.MethodPost, place, header, strings.NewReader(form.Encode()), int64(len(form.Encode())), t.transport.options.Timeout)
		if err != nil {
			return "", err
		}
		data, err := readAll(response)
		cancel()
		if err != nil {
			return "", err
		}
		t.saw(response.Header)
		nonce := response.Header.Get("DPoP-Nonce")
		t.setNonce("token", nonce)
		var body struct {
			AccessToken string  `json:"access_token"`
			ExpiresIn   float64 `json:"expires_in"`
			Error       string  `json:"error"`
			Description string  `json:"error_description"`
			Next        string  `json:"next"`
		}
		_ = json.Unmarshal(data, &body)
		if response.StatusCode == http.StatusOK && body.AccessToken != "" {
			lifetime := body.ExpiresIn
			if lifetime <= 0 {
				lifetime = 300
			}
			left := lifetime - math.Min(earlySeconds, lifetime/4)
			t.mutex.Lock()
			t.kept[scope] = token{body.AccessToken, time.Now().Add(time.Duration(left * float64(time.Second)))}
			t.mutex.Unlock()
			return body.AccessToken, nil
		}
		if body.Error == "use_dpop_nonce" && nonce != "" && attempt < 2 {
			continue
		}
		wait := retryAfter(response.Header)
		if wait < 0 {
			wait = backOff(attempt)
		}
		if !isRepeatable(response.StatusCode) || attempt >= t.transport.maxRetries || wait > mostWait {
			return "", &APIError{
				Status: response.StatusCode, Title: body.Error, Detail: body.Description, Rule: body.Error, Next: body.Next, Step: "token",
				RequestID: response.Header.Get("Request-Id"), RetryAfter: retryAfter(response.Header), Header: response.Header,
			}
		}
		if err := pause(ctx, wait); err != nil {
			return "", err
		}
	}
}

func (t *tokens) identify(form url.Values, header http.Header) error {
	o := t.transport.options
	if o.PrivateKey == nil {
		pair := url.QueryEscape(o.ClientID) + ":" + url.QueryEscape(o.ClientSecret)
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(pair)))
		return nil
	}
	now := t.now().Unix()
	head := map[string]any{"alg": "ES256", "typ": "JWT"}
	if o.KeyID != "" {
		head["kid"] = o.KeyID
	}
	assertion, err := signJWT(head, map[string]any{
		"iss": o.ClientID, "sub": o.ClientID, "aud": t.transport.baseURL, "jti": randomID(), "iat": now, "exp": now + 60,
	}, o.PrivateKey)
	if err != nil {
		return err
	}
	form.Set("client_id", o.ClientID)
	form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
	form.Set("client_assertion", assertion)
	return nil
}

func (t *tokens) proof(method, place, accessToken, nonce string) (string, error) {
	t.mutex.Lock()
	if t.proving == nil {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.mutex.Unlock()
			return "", err
		}
		t.proving = key
	}
	key := t.proving
	t.mutex.Unlock()
	target, _, _ := strings.Cut(place, "?")
	claims := map[string]any{"htm": method, "htu": target, "jti": randomID(), "iat": t.now().Unix()}
	if nonce != "" {
		claims["nonce"] = nonce
	}
	if accessToken != "" {
		digest := sha256.Sum256([]byte(accessToken))
		claims["ath"] = base64.RawURLEncoding.EncodeToString(digest[:])
	}
	x, y := make([]byte, 32), make([]byte, 32)
	jwk := map[string]any{
		"kty": "EC", "crv": "P-256",
		"x": base64.RawURLEncoding.EncodeToString(key.PublicKey.X.FillBytes(x)),
		"y": base64.RawURLEncoding.EncodeToString(key.PublicKey.Y.FillBytes(y)),
	}
	return signJWT(map[string]any{"alg": "ES256", "typ": "dpop+jwt", "jwk": jwk}, claims, key)
}

func signJWT(head, claims map[string]any, key *ecdsa.PrivateKey) (string, error) {
	parts := make([]string, 2)
	for place, one := range []map[string]any{head, claims} {
		data, err := json.Marshal(one)
		if err != nil {
			return "", err
		}
		parts[place] = base64.RawURLEncoding.EncodeToString(data)
	}
	text := parts[0] + "." + parts[1]
	digest := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, key, digest[:])
	if err != nil {
		return "", err
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + base64.RawURLEncoding.EncodeToString(signature), nil
}

// PrivateKeyFromJWK reads a private EC P-256 key.
func PrivateKeyFromJWK(data []byte) (*ecdsa.PrivateKey, string, error) {
	var jwk struct{ Kty, Crv, X, Y, D, Kid string }
	if err := json.Unmarshal(data, &jwk); err != nil {
		return nil, "", err
	}
	if jwk.Kty != "EC" || jwk.Crv != "P-256" || jwk.D == "" {
		return nil, "", errors.New("kaimen: the key is no private EC P-256 key")
	}
	numbers := make([]*big.Int, 3)
	for place, text := range []string{jwk.X, jwk.Y, jwk.D} {
		raw, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil {
			return nil, "", err
		}
		numbers[place] = new(big.Int).SetBytes(raw)
	}
	public := ecdsa.PublicKey{Curve: elliptic.P256(), X: numbers[0], Y: numbers[1]}
	return &ecdsa.PrivateKey{PublicKey: public, D: numbers[2]}, jwk.Kid, nil
}

func randomID() string {
	data := make([]byte, 16)
	_, _ = rand.Read(data)
	return hex.EncodeToString(data)
}

// --- requests ---------------------------------------------------------------------------------------

type facts struct {
	name, version string
	scopes        []string
}

type transport struct {
	options    Options
	baseURL    string
	maxRetries int
	scopes     string
	agent      string
	http       *http.Client
	tokens     *tokens
}

type call struct {
	method, path string
	scope        string
	accept       string
	contentType  string
	header       http.Header
	body         []byte
	stream       io.Reader
	isIdempotent bool
	hasScope     bool
}

func newTransport(o Options, f facts) (*transport, error) {
	read := func(given, name, otherwise string) string {
		if given != "" {
			return given
		}
		if found := os.Getenv(name); found != "" {
			return found
		}
		return otherwise
	}
	o.BaseURL = strings.TrimRight(read(o.BaseURL, "KAIMEN_BASE_URL", "http://127.0.0.1:8000"), "/")
	o.ClientID = read(o.ClientID, "KAIMEN_CLIENT_ID", "")
	if o.PrivateKey == nil {
		o.ClientSecret = read(o.ClientSecret, "KAIMEN_CLIENT_SECRET", "")
	}
	switch {
	case o.AccessToken != "" && o.DPoP:
		return nil, errors.New("kaimen: AccessToken goes out as Bearer: leave DPoP out")
	case o.ClientID == "" && o.AccessToken == "":
		return nil, errors.New("kaimen: no client id: give ClientID, or set KAIMEN_CLIENT_ID")
	case o.PrivateKey == nil && o.ClientSecret == "" && o.AccessToken == "":
		return nil, errors.New("kaimen: no secret: give ClientSecret or PrivateKey, or set KAIMEN_CLIENT_SECRET")
	case !strings.HasPrefix(o.BaseURL, "http://") && !strings.HasPrefix(o.BaseURL, "https://"):
		return nil, fmt.Errorf("kaimen: BaseURL begins with http:// or https://, not %q", o.BaseURL)
	}
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	t := &transport{options: o, baseURL: o.BaseURL, maxRetries: 2, scopes: strings.Join(f.scopes, " ")}
	if o.MaxRetries != nil {
		t.maxRetries = *o.MaxRetries
	}
	if o.Scopes != nil {
		t.scopes = strings.Join(o.Scopes, " ")
	}
	t.agent = fmt.Sprintf("kaimen-sdk-go/%s (%s/%s; %s)", f.version, f.name, f.version, runtime.Version())
	client := http.Client{}
	if o.HTTPClient != nil {
		client = *o.HTTPClient
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	t.http = &client
	t.tokens = &tokens{transport: t, kept: map[string]token{}, asking: map[string]*asking{}, nonces: map[string]string{}}
	return t, nil
}

func (t *transport) String() string {
	return fmt.Sprintf("Kaimen{BaseURL: %q, ClientID: %q}", t.baseURL, t.options.ClientID)
}

// GoString keeps the secret out of %#v.
func (t *transport) GoString() string { return t.String() }

// Format keeps the secret out of every verb.
func (t *transport) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, t.String()) }

func isRepeatable(status int) bool {
	return status == 429 || status == 502 || status == 503 || status == 504
}

func backOff(attempt int) time.Duration {
	return time.Duration(float64(backOffFirst) * math.Pow(2, float64(attempt)) * (0.5 + mathrand.Float64()/2))
}

func retryAfter(header http.Header) time.Duration {
	text := strings.TrimSpace(header.Get("Retry-After"))
	if text == "" {
		return -1
	}
	if seconds, err := strconv.Atoi(text); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		if wait := time.Until(at); wait > 0 {
			return wait
		}
		return 0
	}
	return -1
}

func pause(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t *transport) send(ctx context.Context, method, place string, header http.Header, body io.Reader, size int64, timeout time.Duration) (*http.Response, context.CancelFunc, error) {
	bounded, cancel := context.WithTimeout(ctx, timeout)
	request, err := http.NewRequestWithContext(bounded, method, place, body)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	request.Header = header
	request.Header.Set("User-Agent", t.agent)
	if size >= 0 && body != nil {
		request.ContentLength = size
	}
	response, err := t.http.Do(request)
	if err != nil {
		cancel()
		return nil, nil, failure(ctx, err)
	}
	return response, cancel, nil
}

func failure(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return &TimeoutError{err}
	}
	return &ConnectionError{err}
}

func readAll(response *http.Response) ([]byte, error) {
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, failure(response.Request.Context(), err)
	}
	return data, nil
}

// open gives the response once it is a success, after retries. The caller closes its body.
func (t *transport) open(ctx context.Context, c call, given []CallOption) (*http.Response, context.CancelFunc, error) {
	o := callOptions{scenario: t.options.Scenario, timeout: t.options.Timeout, maxRetries: &t.maxRetries}
	for _, one := range given {
		one(&o)
	}
	scope := t.scopes
	if c.hasScope {
		scope = c.scope
	}
	header := t.headerOf(c, o)
	mayRepeat := (c.method == http.MethodGet || c.method == http.MethodHead || c.isIdempotent) && c.stream == nil
	place := t.baseURL + c.path
	renewed, challenged := false, false
	for attempt := 0; ; {
		value, err := t.tokens.get(ctx, scope)
		if err != nil {
			return nil, nil, err
		}
		if err := t.authorise(header, c.method, place, value); err != nil {
			return nil, nil, err
		}
		body, size := c.reader()
		response, cancel, err := t.send(ctx, c.method, place, header.Clone(), body, size, o.timeout)
		if err != nil {
			var lost *ConnectionError
			if !errors.As(err, &lost) || !mayRepeat || attempt >= *o.maxRetries {
				return nil, nil, err
			}
			if err := pause(ctx, backOff(attempt)); err != nil {
				return nil, nil, err
			}
			attempt++
			continue
		}
		t.tokens.saw(response.Header)
		nonce := response.Header.Get("DPoP-Nonce")
		t.tokens.setNonce("api", nonce)
		if response.StatusCode >= 200 && response.StatusCode < 300 {
			if o.raw != nil {
				*o.raw = Raw{response.StatusCode, response.Header, response.Header.Get("Request-Id")}
			}
			return response, cancel, nil
		}
		refusal, err := refusalOf(response)
		cancel()
		if err != nil {
			return nil, nil, err
		}
		if response.StatusCode == 401 && nonce != "" && t.options.DPoP && !challenged {
			challenged = true
			continue
		}
		if response.StatusCode == 401 && !renewed && c.stream == nil && t.options.AccessToken == "" {
			renewed = true
			t.tokens.forget(scope, value)
			continue
		}
		wait := refusal.RetryAfter
		if wait < 0 {
			wait = backOff(attempt)
		}
		if !isRepeatable(response.StatusCode) || !mayRepeat || attempt >= *o.maxRetries || wait > mostWait {
			return nil, nil, refusal
		}
		if err := pause(ctx, wait); err != nil {
			return nil, nil, err
		}
		attempt++
	}
}

func (t *transport) headerOf(c call, o callOptions) http.Header {
	header := http.Header{}
	for name, values := range c.header {
		header[name] = values
	}
	accept := c.accept
	if accept == "" {
		accept = "application/json"
	}
	header.Set("Accept", accept)
	if c.contentType != "" {
		header.Set("Content-Type", c.contentType)
	}
	if o.scenario != "" {
		header.Set("Kaimen-Scenario", o.scenario)
	}
	if c.isIdempotent {
		if o.key == "" {
			o.key = randomID()
		}
		header.Set("Idempotency-Key", o.key)
	}
	for name, values := range o.headers {
		header[name] = values
	}
	return header
}

func (t *transport) authorise(header http.Header, method, place, value string) error {
	if !t.options.DPoP {
		header.Set("Authorization", "Bearer "+value)
		return nil
	}
	proof, err := t.tokens.proof(method, place, value, t.tokens.nonce("api"))
	if err != nil {
		return err
	}
	header.Set("Authorization", "DPoP "+value)
	header.Set("DPoP", proof)
	return nil
}

func (c call) reader() (io.Reader, int64) {
	if c.stream != nil {
		return c.stream, -1
	}
	if c.body == nil {
		return nil, -1
	}
	return bytes.NewReader(c.body), int64(len(c.body))
}

func refusalOf(response *http.Response) (*APIError, error) {
	data, err := readAll(response)
	if err != nil {
		return nil, err
	}
	made := &APIError{}
	if json.Unmarshal(data, made) != nil {
		made = &APIError{}
	}
	_ = json.Unmarshal(data, &made.Problem)
	made.Status = response.StatusCode
	made.Header = response.Header
	made.RetryAfter = retryAfter(response.Header)
	if id := response.Header.Get("Request-Id"); id != "" {
		made.RequestID = id
	}
	return made, nil
}

// do makes the call and reads its JSON into out; out nil reads nothing.
func (t *transport) do(ctx context.Context, c call, out any, given []CallOption) error {
	response, cancel, err := t.open(ctx, c, given)
	if err != nil {
		return err
	}
	defer cancel()
	data, err := readAll(response)
	if err != nil {
		return err
	}
	if out == nil || len(data) == 0 {
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return &DecodingError{response.Header.Get("Request-Id"), err}
	}
	return nil
}

type streamed struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (s streamed) Close() error {
	defer s.cancel()
	return s.ReadCloser.Close()
}

// download gives the body as a stream; whoever reads it closes it.
func (t *transport) download(ctx context.Context, c call, given []CallOption) (io.ReadCloser, error) {
	response, cancel, err := t.open(ctx, c, given)
	if err != nil {
		return nil, err
	}
	return streamed{response.Body, cancel}, nil
}

func (t *transport) text(ctx context.Context, c call, given []CallOption) (string, error) {
	response, cancel, err := t.open(ctx, c, given)
	if err != nil {
		return "", err
	}
	defer cancel()
	data, err := readAll(response)
	return string(data), err
}

// --- addresses --------------------------------------------------------------------------------------

type given struct {
	wire, location, style string
	explode, isJSON       bool
	value                 any
}

func escape(text string) string { return strings.ReplaceAll(url.QueryEscape(text), "+", "%20") }

func plain(value reflect.Value) string {
	for value.Kind() == reflect.Pointer || value.Kind() == reflect.Interface {
		value = value.Elem()
	}
	if !value.IsValid() {
		return ""
	}
	switch one := value.Interface().(type) {
	case time.Time:
		return one.Format(time.RFC3339Nano)
	case []byte:
		return base64.StdEncoding.EncodeToString(one)
	}
	switch value.Kind() {
	case reflect.String:
		return value.String()
	case reflect.Bool, reflect.Int, reflect.Int32, reflect.Int64:
		return fmt.Sprint(value.Interface())
	case reflect.Float64:
		return strconv.FormatFloat(value.Float(), 'f', -1, 64)
	}
	data, err := json.Marshal(value.Interface())
	if err != nil {
		return ""
	}
	return string(data)
}

func isAbsent(value reflect.Value) bool {
	switch value.Kind() {
	case reflect.Invalid:
		return true
	case reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Map:
		return value.IsNil()
	}
	return false
}

func address(template string, every []given) (string, http.Header) {
	path := template
	var query []string
	header := http.Header{}
	for _, one := range every {
		value := reflect.ValueOf(one.value)
		if isAbsent(value) {
			continue
		}
		for value.Kind() == reflect.Pointer {
			value = value.Elem()
		}
		isList := value.Kind() == reflect.Slice && value.Type().Elem().Kind() != reflect.Uint8
		switch {
		case one.location == "path":
			path = strings.ReplaceAll(path, "{"+one.wire+"}", escape(joined(value, isList, ",", func(s string) string { return s })))
		case one.location == "header":
			header.Set(one.wire, joined(value, isList, ",", func(s string) string { return s }))
		case one.isJSON:
			data, err := json.Marshal(one.value)
			if err == nil {
				query = append(query, escape(one.wire)+"="+escape(string(data)))
			}
		case isList && one.explode:
			for place := 0; place < value.Len(); place++ {
				query = append(query, escape(one.wire)+"="+escape(plain(value.Index(place))))
			}
		case isList:
			joint := map[string]string{"spaceDelimited": "%20", "pipeDelimited": "%7C"}[one.style]
			if joint == "" {
				joint = ","
			}
			query = append(query, escape(one.wire)+"="+joined(value, true, joint, escape))
		default:
			query = append(query, members(one, value)...)
		}
	}
	if len(query) > 0 {
		path += "?" + strings.Join(query, "&")
	}
	return path, header
}

func joined(value reflect.Value, isList bool, joint string, change func(string) string) string {
	if !isList {
		return change(plain(value))
	}
	parts := make([]string, value.Len())
	for place := range parts {
		parts[place] = change(plain(value.Index(place)))
	}
	return strings.Join(parts, joint)
}

func members(one given, value reflect.Value) []string {
	_, isTime := value.Interface().(time.Time)
	isObject := (value.Kind() == reflect.Struct || value.Kind() == reflect.Map) && !isTime
	if !isObject || one.style != "deepObject" && !one.explode {
		return []string{escape(one.wire) + "=" + escape(plain(value))}
	}
	data, err := json.Marshal(value.Interface())
	var found map[string]any
	if err != nil || json.Unmarshal(data, &found) != nil {
		return nil
	}
	names := make([]string, 0, len(found))
	for name := range found {
		names = append(names, name)
	}
	sort.Strings(names)
	made := make([]string, 0, len(names))
	for _, name := range names {
		key := escape(name)
		if one.style == "deepObject" {
			key = escape(one.wire) + "%5B" + key + "%5D"
		}
		made = append(made, key+"="+escape(plain(reflect.ValueOf(found[name]))))
	}
	return made
}

func formOf(value any) ([]byte, error) {
	found, err := asMap(value)
	if err != nil {
		return nil, err
	}
	form := url.Values{}
	for name, one := range found {
		list, isList := one.([]any)
		if !isList {
			list = []any{one}
		}
		for _, each := range list {
			form.Add(name, plain(reflect.ValueOf(each)))
		}
	}
	return []byte(form.Encode()), nil
}

// Part of a multipart body: a file where Content is set, else Value.
type Part struct {
	Name, FileName, Value string
	Content               io.Reader
}

func multipartOf(parts []Part) ([]byte, string, error) {
	var out bytes.Buffer
	writer := multipart.NewWriter(&out)
	for _, one := range parts {
		if one.Content == nil {
			if err := writer.WriteField(one.Name, one.Value); err != nil {
				return nil, "", err
			}
			continue
		}
		name := one.FileName
		if name == "" {
			name = "file"
		}
		file, err := writer.CreateFormFile(one.Name, name)
		if err != nil {
			return nil, "", err
		}
		if _, err := io.Copy(file, one.Content); err != nil {
			return nil, "", err
		}
	}
	if err := writer.Close(); err != nil {
		return nil, "", err
	}
	return out.Bytes(), writer.FormDataContentType(), nil
}

func asMap(value any) (map[string]any, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	var found map[string]any
	return found, json.Unmarshal(data, &found)
}

// --- pages ------------------------------------------------------------------------------------------

// Page is one page of a list.
type Page[T any] struct {
	Items      []T
	NextCursor string
	Raw        Raw
}

// Pages is a list that is fetched page by page.
//
//	for pages.Next(ctx) { use(pages.Item()) }
//	if err := pages.Err(); err != nil { … }
type Pages[T any] struct {
	fetch   func(ctx context.Context, cursor string) (*Page[T], error)
	page    *Page[T]
	place   int
	started bool
	err     error
}

// Next goes on to the next item, over all pages. False at the end, and after an error.
func (p *Pages[T]) Next(ctx context.Context) bool {
	for p.err == nil {
		if p.page != nil && p.place+1 < len(p.page.Items) {
			p.place++
			return true
		}
		if p.started && (p.page == nil || p.page.NextCursor == "") {
			return false
		}
		cursor := ""
		if p.page != nil {
			cursor = p.page.NextCursor
		}
		p.page, p.err = p.fetch(ctx, cursor)
		p.started, p.place = true, -1
	}
	return false
}

// Item is the present item.
func (p *Pages[T]) Item() T { return p.page.Items[p.place] }

// Err is what ended Next, nil at the end of the list.
func (p *Pages[T]) Err() error { return p.err }

func textOf(value any) string { return plain(reflect.ValueOf(value)) }

func numberOf(value any, otherwise int64) int64 {
	one := reflect.ValueOf(value)
	if isAbsent(one) {
		return otherwise
	}
	number, err := strconv.ParseInt(plain(one), 10, 64)
	if err != nil {
		return otherwise
	}
	return number
}

func sizeOf(value any) int64 { return numberOf(value, 0) }

// Items of a nullable list; none where it is null or absent.
func (n *Nullable[T]) Items() T {
	var none T
	if n == nil || n.Value == nil {
		return none
	}
	return *n.Value
}

// First gives the first page.
func (p *Pages[T]) First(ctx context.Context) (*Page[T], error) { return p.fetch(ctx, "") }

// All gives every item of all pages.
func (p *Pages[T]) All(ctx context.Context) ([]T, error) {
	var found []T
	for p.Next(ctx) {
		found = append(found, p.Item())
	}
	return found, p.Err()
}

// --- webhooks ---------------------------------------------------------------------------------------

// WebhookEvent is a CloudEvent as it was delivered.
type WebhookEvent struct {
	SpecVersion string          `json:"specversion"`
	ID          string          `json:"id"`
	Type        string          `json:"type"`
	Source      string          `json:"source"`
	Subject     string          `json:"subject"`
	Time        time.Time       `json:"time"`
	Data        json.RawMessage `json:"data"`
}

// VerifyWebhook checks a delivery (Standard Webhooks: v1 with whsec_…, v1a with whpk_…) and gives its event.
func VerifyWebhook(payload []byte, header http.Header, keys ...string) (*WebhookEvent, error) {
	id, at, marks := header.Get("Webhook-Id"), header.Get("Webhook-Timestamp"), header.Get("Webhook-Signature")
	seconds, err := strconv.ParseInt(at, 10, 64)
	if id == "" || marks == "" || err != nil {
		return nil, &WebhookError{"webhook-id, webhook-timestamp or webhook-signature is missing"}
	}
	if age := time.Since(time.Unix(seconds, 0)); age > webhookTolerance || age < -webhookTolerance {
		return nil, &WebhookError{"the timestamp is too old or too new"}
	}
	signed := append([]byte(id+"."+at+"."), payload...)
	for _, mark := range strings.Fields(marks) {
		version, text, _ := strings.Cut(mark, ",")
		signature, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			continue
		}
		for _, key := range keys {
			if fits(version, signature, signed, key) {
				event := &WebhookEvent{}
				if err := json.Unmarshal(payload, event); err != nil {
					return nil, &WebhookError{"the payload is no CloudEvent"}
				}
				return event, nil
			}
		}
	}
	return nil, &WebhookError{"no signature fits: the secret is another one, or the payload was changed"}
}

func fits(version string, signature, signed []byte, key string) bool {
	switch {
	case version == "v1" && strings.HasPrefix(key, "whsec_"):
		secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(key, "whsec_"))
		if err != nil {
			return false
		}
		mac := hmac.New(sha256.New, secret)
		mac.Write(signed)
		return hmac.Equal(mac.Sum(nil), signature)
	case version == "v1a" && strings.HasPrefix(key, "whpk_"):
		public, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(key, "whpk_"))
		return err == nil && len(public) == ed25519.PublicKeySize && ed25519.Verify(public, signed, signature)
	}
	return false
}

// --- sandbox ----------------------------------------------------------------------------------------

// Sandbox of the app itself: needs the platform scope platform:sandbox:write.
type Sandbox struct{ transport *transport }

// Reset forgets what the app has changed; it tells how many records those were.
func (s *Sandbox) Reset(ctx context.Context) (int, error) {
	var out struct {
		Records int `json:"records"`
	}
	err := s.call(ctx, http.MethodPost, "/platform/v1/sandbox/reset", map[string]any{}, &out)
	return out.Records, err
}

// SetClock sets the app's clock.
func (s *Sandbox) SetClock(ctx context.Context, now time.Time) error {
	return s.call(ctx, http.MethodPost, "/platform/v1/sandbox/clock", map[string]any{"now": now.Format(time.RFC3339)}, nil)
}

// AdvanceClock moves the app's clock: P30D, PT6H.
func (s *Sandbox) AdvanceClock(ctx context.Context, duration string) error {
	return s.call(ctx, http.MethodPost, "/platform/v1/sandbox/clock", map[string]any{"advance": duration}, nil)
}

// ClearClock goes back to the real time.
func (s *Sandbox) ClearClock(ctx context.Context) error {
	return s.call(ctx, http.MethodDelete, "/platform/v1/sandbox/clock", nil, nil)
}

func (s *Sandbox) call(ctx context.Context, method, path string, body, out any) error {
	c := call{method: method, path: path, scope: sandboxScope, hasScope: true}
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		c.body, c.contentType = data, "application/json"
	}
	return s.transport.do(ctx, c, out, nil)
}
