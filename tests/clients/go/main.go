// golang.org/x/oauth2: a desktop program, an app on a server, and a program with no
// person behind it.  Prints TAP; tests/clients/run starts it.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"sort"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

var (
	issuer   = os.Getenv("ISSUER")
	drive    = os.Getenv("DRIVE")
	secret   = os.Getenv("CLIENT_SECRET")
	callback = os.Getenv("CALLBACK")
	subject  = os.Getenv("SUB")
	ctx      = context.Background()
)

const lifetime = 600 * time.Second

// --- The bed ----------------------------------------------------------------

// open is the person: does what the issuer's pages ask; the URL that it leads to.
func open(address, decision string) string {
	asked, _ := json.Marshal(map[string]string{"person": random(), "url": address, "decision": decision})
	response, err := http.Post(os.Getenv("PERSON"), "application/json", bytes.NewReader(asked))
	must(err)
	defer response.Body.Close()
	var answer struct{ URL, Problem string }
	must(json.NewDecoder(response.Body).Decode(&answer))
	check(answer.Problem == "", "%s", answer.Problem)
	return answer.URL
}

func random() string {
	octets := make([]byte, 32)
	_, err := rand.Read(octets)
	must(err)
	return base64.RawURLEncoding.EncodeToString(octets)
}

// --- What an app does -------------------------------------------------------

func discover(style oauth2.AuthStyle) oauth2.Endpoint {
	// recipe: desktop
	response, err := http.Get(issuer + "/.well-known/oauth-authorization-server")
	must(err)
	defer response.Body.Close()
	var server struct {
		AuthURL  string `json:"authorization_endpoint"`
		TokenURL string `json:"token_endpoint"`
	}
	must(json.NewDecoder(response.Body).Decode(&server))
	endpoint := oauth2.Endpoint{AuthURL: server.AuthURL, TokenURL: server.TokenURL}
	endpoint.AuthStyle = oauth2.AuthStyleInParams // there is no secret
	// end
	endpoint.AuthStyle = style
	return endpoint
}

// program is a public client that hears the answer on a port of its own (RFC 8252 section 7.3).
type program struct {
	*oauth2.Config
	state, verifier string
	listener        net.Listener
	answers         chan url.Values
}

func desktop() *program {
	endpoint := discover(oauth2.AuthStyleInParams)
	// recipe: desktop
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	config := &oauth2.Config{
		ClientID:    "desktop",
		RedirectURL: fmt.Sprintf("http://%s/callback", listener.Addr()),
		Scopes:      []string{"openid", "files.read", "offline_access"},
		Endpoint:    endpoint,
	}
	answers := make(chan url.Values, 1)
	go http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answers <- r.URL.Query()
		fmt.Fprintln(w, "You can close this window.")
	}))
	// end
	return &program{Config: config, listener: listener, answers: answers}
}

// wiki is a client on a server, with a secret.
func wiki(clientID string, style oauth2.AuthStyle) *program {
	return &program{Config: &oauth2.Config{
		ClientID: clientID, ClientSecret: secret, RedirectURL: callback,
		Scopes: []string{"openid", "files.read"}, Endpoint: discover(style),
	}}
}

func (p *program) start(more ...string) string {
	config := p.Config
	// recipe: desktop
	state, verifier := random(), random() // 32 random octets each, in base64url
	challenge := sha256.Sum256([]byte(verifier))
	// Open this in the browser.
	address := config.AuthCodeURL(state,
		oauth2.SetAuthURLParam("code_challenge", base64.RawURLEncoding.EncodeToString(challenge[:])),
		oauth2.SetAuthURLParam("code_challenge_method", "S256"))
	// end
	p.state, p.verifier = state, verifier
	return strings.Join(append([]string{address}, more...), "&")
}

// back is the answer in the URL that the person came back to.
func (p *program) back(address string) url.Values {
	parsed, err := url.Parse(address)
	must(err)
	check(strings.HasPrefix(address, p.RedirectURL+"?"), "back at %s", address)
	if p.listener == nil {
		return parsed.Query()
	}
	response, err := http.Get(address)
	must(err)
	response.Body.Close()
	answers := p.answers
	// recipe: desktop
	answer := <-answers
	// end
	return answer
}

// finish takes the answer as the app would: of the right server, for this request.
func (p *program) finish(answer url.Values) (*oauth2.Token, error) {
	config, state, verifier := p.Config, p.state, p.verifier
	// recipe: desktop
	switch {
	case answer.Get("state") != state, answer.Get("iss") != issuer:
		return nil, errors.New("this is not the answer to our request")
	case answer.Has("error"):
		return nil, errors.New(answer.Get("error"))
	}
	token, err := config.Exchange(ctx, answer.Get("code"), oauth2.SetAuthURLParam("code_verifier", verifier))
	// end
	return token, err
}

func (p *program) signIn() *oauth2.Token {
	token, err := p.finish(p.back(open(p.start(), "allow")))
	must(err)
	return token
}

// call asks Drive who the token's owner is.
func call(client *http.Client, path string) (int, string) {
	response, err := client.Get(drive + path)
	must(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	must(err)
	return response.StatusCode, string(body)
}

func with(token string) *http.Client {
	return oauth2.NewClient(ctx, oauth2.StaticTokenSource(&oauth2.Token{AccessToken: token}))
}

// --- What must be true ------------------------------------------------------

type failure struct{ error }

func must(err error) {
	if err != nil {
		panic(failure{err})
	}
}

func check(ok bool, format string, values ...any) {
	if !ok {
		panic(failure{fmt.Errorf(format, values...)})
	}
}

// refused checks that the token endpoint answered with a registered error.
func refused(err error, status int, name string) {
	var problem *oauth2.RetrieveError
	check(errors.As(err, &problem), "an answer of the token endpoint, not %v", err)
	var body struct{ Error string }
	must(json.Unmarshal(problem.Body, &body))
	check(problem.Response.StatusCode == status && body.Error == name, "%d %s, not %d %s", problem.Response.StatusCode, body.Error, status, name)
}

func checkToken(token *oauth2.Token, scope ...string) {
	left := time.Until(token.Expiry)
	check(token.Type() == "Bearer" && token.TokenType == "Bearer", "type %s", token.TokenType)
	check(left > lifetime-10*time.Second && left <= lifetime, "it lives %s", left)
	granted := strings.Fields(token.Extra("scope").(string))
	sort.Strings(granted)
	sort.Strings(scope)
	check(strings.Join(granted, " ") == strings.Join(scope, " "), "scope %v, not %v", granted, scope)
}

func claims(token *oauth2.Token) (claims struct {
	Iss, Sub, Aud string
	Exp, Iat      int64
}) {
	text, _ := token.Extra("id_token").(string)
	parts := strings.Split(text, ".")
	check(len(parts) == 3, "no ID token")
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	must(err)
	must(json.Unmarshal(payload, &claims))
	return claims
}

var cases = []struct {
	name string
	run  func()
}{
	{"a desktop program signs in on a port of its own", func() {
		p := desktop()
		token := p.signIn()
		checkToken(token, "openid", "files.read", "offline_access")
		c := claims(token)
		check(c.Iss == issuer && c.Sub == subject && c.Aud == "desktop" && c.Exp-c.Iat == 600, "claims %+v", c)
		check(token.RefreshToken != "", "no refresh token")
		status, body := call(p.Client(ctx, token), "/whoami")
		check(status == 200 && strings.Contains(body, subject), "%d %s", status, body)
		status, _ = call(p.Client(ctx, token), "/whoami/write")
		check(status == 403, "without files.write: %d", status)
	}},
	{"an expired token is refreshed without asking", func() {
		p := desktop()
		token := p.signIn()
		first, config := token.RefreshToken, p.Config
		token.Expiry = time.Now().Add(-time.Minute)
		// recipe: desktop
		client := config.Client(ctx, token) // refreshes the token when it has expired
		// end
		status, _ := call(client, "/whoami")
		check(status == 200, "after the refresh: %d", status)
		next, err := client.Transport.(*oauth2.Transport).Source.Token()
		must(err)
		check(next.RefreshToken != first, "the refresh token is another")
		checkToken(next, "openid", "files.read", "offline_access")
	}},
	{"an old refresh token ends the grant", func() {
		p := desktop()
		first := p.signIn()
		refresh := func(old string) (*oauth2.Token, error) {
			return p.TokenSource(ctx, &oauth2.Token{RefreshToken: old}).Token()
		}
		second, err := refresh(first.RefreshToken)
		must(err)
		third, err := refresh(second.RefreshToken)
		must(err)
		_, err = refresh(first.RefreshToken)
		refused(err, 400, "invalid_grant")
		_, err = refresh(third.RefreshToken)
		refused(err, 400, "invalid_grant")
		status, _ := call(with(third.AccessToken), "/whoami")
		check(status == 401, "its access token: %d", status)
	}},
	{"a revoked refresh token", func() {
		p := desktop()
		token := p.signIn()
		response, err := http.PostForm(issuer+"/revoke", url.Values{"token": {token.RefreshToken}, "client_id": {"desktop"}})
		must(err)
		response.Body.Close()
		check(response.StatusCode == 200, "revoke: %d", response.StatusCode)
		_, err = p.TokenSource(ctx, &oauth2.Token{RefreshToken: token.RefreshToken}).Token()
		refused(err, 400, "invalid_grant")
	}},
	{"a secret in the header, in the body, and where the library finds out itself", func() {
		for _, client := range []struct {
			id    string
			style oauth2.AuthStyle
		}{
			{"wiki", oauth2.AuthStyleInHeader}, {"wiki-post", oauth2.AuthStyleInParams}, {"wiki-post", oauth2.AuthStyleAutoDetect},
		} {
			token := wiki(client.id, client.style).signIn()
			checkToken(token, "openid", "files.read")
			check(claims(token).Aud == client.id, "aud %s", claims(token).Aud)
		}
	}},
	{"a wrong secret", func() {
		for id, style := range map[string]oauth2.AuthStyle{"wiki": oauth2.AuthStyleInHeader, "wiki-post": oauth2.AuthStyleInParams} {
			p := wiki(id, style)
			p.ClientSecret += "!"
			_, err := p.finish(p.back(open(p.start(), "allow")))
			refused(err, 401, "invalid_client")
		}
	}},
	{"a wrong verifier or redirect URI does not burn the code, a replay ends what it gave", func() {
		p := wiki("wiki", oauth2.AuthStyleInHeader)
		answer := p.back(open(p.start(), "allow"))
		right := p.verifier
		p.verifier = random()
		_, err := p.finish(answer)
		refused(err, 400, "invalid_grant")
		p.verifier, p.RedirectURL = right, callback+"/other"
		_, err = p.finish(answer)
		refused(err, 400, "invalid_grant")
		p.RedirectURL = callback
		token, err := p.finish(answer)
		must(err)
		_, err = p.finish(answer)
		refused(err, 400, "invalid_grant")
		status, _ := call(with(token.AccessToken), "/whoami")
		check(status == 401, "after the replay: %d", status)
	}},
	{"the code of another client", func() {
		p, other := wiki("wiki", oauth2.AuthStyleInHeader), wiki("wiki-post", oauth2.AuthStyleInParams)
		answer := p.back(open(p.start(), "allow"))
		other.state, other.verifier = p.state, p.verifier
		_, err := other.finish(answer)
		refused(err, 400, "invalid_grant")
		_, err = p.finish(answer)
		must(err)
	}},
	{"denied, prompt=none, an answer to another request", func() {
		p := desktop()
		_, err := p.finish(p.back(open(p.start("prompt=consent"), "deny")))
		check(err != nil && err.Error() == "access_denied", "denied: %v", err)
		_, err = p.finish(p.back(open(p.start("prompt=none"), "allow")))
		check(err != nil && err.Error() == "login_required", "prompt=none: %v", err)
		answer := p.back(open(p.start(), "allow"))
		right := answer.Get("state")
		answer.Set("state", "another")
		_, err = p.finish(answer)
		check(err != nil && err.Error() == "this is not the answer to our request", "another state: %v", err)
		answer.Set("state", right)
		answer.Set("iss", "https://another.example")
		_, err = p.finish(answer)
		check(err != nil && err.Error() == "this is not the answer to our request", "another issuer: %v", err)
	}},
	{"client credentials", func() {
		clientSecret, endpoint := secret, discover(oauth2.AuthStyleInHeader)
		// recipe: client credentials
		config := clientcredentials.Config{
			ClientID: "nightly", ClientSecret: clientSecret, TokenURL: endpoint.TokenURL,
			Scopes: []string{"files.read"}, AuthStyle: oauth2.AuthStyleInHeader,
		}
		client := config.Client(ctx) // asks for a token, and for the next one when it has expired
		// end
		status, body := call(client, "/whoami")
		check(status == 200 && strings.Contains(body, "nightly"), "%d %s", status, body)
		token, err := config.Token(ctx)
		must(err)
		checkToken(token, "files.read")
		check(token.RefreshToken == "", "a refresh token")
		config.Scopes = []string{"openid"}
		_, err = config.Token(ctx)
		refused(err, 400, "invalid_scope")
		config.ClientSecret += "!"
		_, err = config.Token(ctx)
		refused(err, 401, "invalid_client")
		config.ClientID, config.ClientSecret = "wiki", secret
		_, err = config.Token(ctx)
		refused(err, 400, "unauthorized_client")
	}},
}

// try runs a case; what went wrong.
func try(run func()) (problem error) {
	defer func() {
		switch caught := recover().(type) {
		case nil:
		case failure:
			problem = caught.error
		default:
			panic(caught)
		}
	}()
	run()
	return nil
}

func main() {
	status := 0
	fmt.Printf("TAP version 13\n1..%d\n", len(cases))
	for i, c := range cases {
		if problem := try(c.run); problem != nil {
			fmt.Printf("not ok %d - %s\n# %v\n", i+1, c.name, problem)
			status = 1
			continue
		}
		fmt.Printf("ok %d - %s\n", i+1, c.name)
	}
	os.Exit(status)
}
