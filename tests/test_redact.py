"""Secrets are taken out of what senders write; everything else stays as it is."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from receiver.sources.redact import MASK, Redaction, mistake_in, redact

HERE = Path(__file__).parent
USUAL = Redaction()
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl"
KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7\nabc/def+==\n-----END RSA PRIVATE KEY-----"


def cleaned(document: Any, rules: Redaction = USUAL) -> tuple[Any, int]:
    """As intake does it."""
    return redact(document, json.dumps(document).encode(), rules)


SECRETS = {
    "postgres://app:hunter2@db-1:5432/shop failed": "postgres://app:[redacted]@db-1:5432/shop failed",
    "amqp://app:p@ss@mq/": "amqp://app:[redacted]@mq/",
    "redis://:hunter2@cache:6379": "redis://:[redacted]@cache:6379",
    "https://public:s3cr3t@o1.ingest.example.org/5": "https://public:[redacted]@o1.ingest.example.org/5",
    "Authorization: Bearer abc.def-123": "Authorization: Bearer [redacted]",
    "authorization=Basic dXNlcjpwYXNz": "authorization=Basic [redacted]",
    '{"Authorization": "Bearer abcdef"}': '{"Authorization": "Bearer [redacted]"}',
    "curl -H 'Bearer 0123456789abcdef'": "curl -H 'Bearer [redacted]'",
    "Cookie: session=abc; theme=dark\nHost: x": "Cookie: [redacted]\nHost: x",
    "password=hunter2 for user bob": "password=[redacted] for user bob",
    'login failed: {"password": "hun ter2", "user": "bob"}': 'login failed: {"password": "[redacted]", "user": "bob"}',
    "{'api_key': 'k-123', 'n': 1}": "{'api_key': '[redacted]', 'n': 1}",
    "db_password: hunter2": "db_password: [redacted]",
    "AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG": "AWS_SECRET_ACCESS_KEY=[redacted]",
    "GET /hook?token=abc123&x=1": "GET /hook?token=[redacted]&x=1",
    "https://h/?access_token=abc&x=1": "https://h/?access_token=[redacted]&x=1",
    "https://s3/f?X-Amz-Signature=0f0f&X-Amz-Date=1": "https://s3/f?X-Amz-Signature=[redacted]&X-Amz-Date=[redacted]",
    "github_token=abcdef123": "github_token=[redacted]",
    "slack_token: xyz1234567": "slack_token: [redacted]",
    f"claims {JWT} refused": "claims [redacted] refused",
    f"key:\n{KEY}\nend": f"key:\n{KEY[:31]}[redacted]{KEY[-29:]}\nend",
    KEY[:60]: "-----BEGIN RSA PRIVATE KEY-----[redacted]",
    "id AKIAIOSFODNN7EXAMPLE used": "id [redacted] used",
    "ghp_0123456789abcdefghijABCDEFGHIJ012345": "[redacted]",
    f"sent asg_{'0123456789abcdef' * 4} to asg_frontend": "sent [redacted] to asg_frontend",
    "glpat-0123456789abcdefghij": "[redacted]",
    "xoxb-123456789012-abcdefghij": "[redacted]",
    "https://hooks.slack.com/services/T0/B0/abcdef": "https://hooks.slack.com/services/[redacted]",
    "sk_live_0123456789abcdef": "[redacted]",
    "AIzaSyA0123456789012345678901234567890": "[redacted]",
    # the credential of a header, whatever its scheme: to the end of its line or quotes
    "Authorization: ApiKey planted x": "Authorization: [redacted]",
    "Authorization: GenieKey planted\nHost: x": "Authorization: [redacted]\nHost: x",
    "Authorization: Splunk planted\\r\\nHost: x": "Authorization: [redacted]\\r\\nHost: x",
    'Authorization: Digest username="M", nonce="", response="p"\nHost: x': "Authorization: [redacted]\nHost: x",
    "Authorization: AWS4-HMAC-SHA256 Credential=K/s3, Signature=p": "Authorization: [redacted]",
    'Authorization: Token token="p", nonce="n"': "Authorization: Token [redacted]",
    "Authorization: Bearer abc, see https://h/x": "Authorization: Bearer [redacted], see https://h/x",
    "curl -H 'Authorization: ApiKey p=' -X GET 'https://h'": "curl -H 'Authorization: [redacted]' -X GET 'https://h'",
    'curl -H "Authorization: Digest username=\\"M\\"" h': 'curl -H "Authorization: [redacted]" h',
    '{"Authorization": "ApiKey p=", "n": "x"}': '{"Authorization": "[redacted]", "n": "x"}',
    '{"Authorization": ["Splunk p", "q"], "n": ["x"]}': '{"Authorization": [redacted], "n": ["x"]}',
    "map[Authorization:[Splunk p] Host:[x]]": "map[Authorization:[redacted] Host:[x]]",
    'Cookie: a="b c"; session=d\nHost: x': "Cookie: [redacted]\nHost: x",
    "HTTP_COOKIE=a=b; c=d": "HTTP_COOKIE=[redacted]",
    "'HTTP_AUTHORIZATION': 'ApiKey p', 'n': 1": "'HTTP_AUTHORIZATION': '[redacted]', 'n': 1",
    "get(url, cookies={'a': 'b'}, n=1)": "get(url, cookies=[redacted], n=1)",
    # names and their values, in the forms that programs write
    "password_confirmation=hunter2 password2=hunter2": "password_confirmation=[redacted] password2=[redacted]",
    "DB_PASS=hunter user=x": "DB_PASS=[redacted] user=x",
    "smtp.pass: hunter": "smtp.pass: [redacted]",
    "mysql --pass=hunter -h x": "mysql --pass=[redacted] -h x",
    "dbPass=hunter": "dbPass=[redacted]",
    "user: bob\npass: hunter2": "user: bob\npass: [redacted]",
    '{"pass": "hunter", "n": 1}': '{"pass": "[redacted]", "n": 1}',
    "AccountName=x;AccountKey=abc+/==;EndpointSuffix=y": "AccountName=x;AccountKey=[redacted];EndpointSuffix=y",
    "SharedAccessKeyName=Root;SharedAccessKey=abc=": "SharedAccessKeyName=Root;SharedAccessKey=[redacted]",
    "[('Cookie', 'a=b'), ('Host', 'x')]": "[('Cookie', '[redacted]'), ('Host', 'x')]",
    "[(b'authorization', b'ApiKey p'), (b'host', b'x')]": "[(b'authorization', b'[redacted]'), (b'host', b'x')]",
    "('password', 'it\\'s') failed": "('password', '[redacted]') failed",
    "['api_key', 'hunter'] and ('pass', \"hunter": "['api_key', '[redacted]'] and ('pass', \"[redacted]",
    '[{"Name":"DB_PASS","Value":"p"},{"Name":"n"}]': '[{"Name":"DB_PASS","Value":"[redacted]"},{"Name":"n"}]',
    "{'key': 'password', 'value': 5}": "{'key': 'password', 'value': [redacted]}",
    "<QueryDict: {'password': ['a', 'b]'], 'n': ['x']}>": "<QueryDict: {'password': [redacted], 'n': ['x']}>",
    "'password': b'hunter', 'n': 1": "'password': b'[redacted]', 'n': 1",
    '"password": {"value": "hunter", "n": [1]}, "n": 1': '"password": [redacted], "n": 1',
    '"user"=>"x", "password"=>"hun ter"': '"user"=>"x", "password"=>"[redacted]"',
    "user[password]=hunter&n=1": "user[password]=[redacted]&n=1",
    "if password == 'hunter'": "if password == '[redacted]'",
    # addresses
    "postgres://app:hun/t#e?r@db:5432/shop": "postgres://app:[redacted]@db:5432/shop",
    "http://h:8080/a,http://u:p@h": "http://h:8080/a,http://u:[redacted]@h",
    "?to=redis%3A%2F%2Fuser%3Apw%40host%2F0&n=1": "?to=redis%3A%2F%2Fuser%3A[redacted]%40host%2F0&n=1",
    "https://user%3Apw%40host/": "https://user%3A[redacted]%40host/",
    "x%253A%252F%252Fuser%253Ap%2540w%2540host": "x%253A%252F%252Fuser%253A[redacted]%2540host",
    f"https://api.telegram.org/bot123456789:AA{'x' * 33}/getMe": "https://api.telegram.org/bot123456789:[redacted]/getMe",
}


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_in_a_text_is_taken_out_and_the_words_around_it_stay(text: str) -> None:
    found, count = cleaned({"message": text})
    assert found == {"message": SECRETS[text]}
    assert count >= 1


ORDINARY = [
    "token bucket rate is 5 per second",
    "the password expires in 3 days",
    "secret default/tls-cert expires in 5 days",
    "https://user@host/path",
    "http://host:8080/path@x",
    "histogram_quantile(0.99, rate(http_request_duration_seconds_bucket[5m])) > 0.5",
    'kube_secret_info{secret="tls-cert", namespace="shop"} == 1',
    "Basic auth failed for bob, the bearer of bad news",
    "5 sessions active, session: idle, write to ops@example.org",
    "commit 3f786850e387550fdab836ed7e6dc881de23001b, trace 8f431b7a-a084-41bb-bd5a-0100fd91f9fe",
    "signature mismatch on package foo",
    "authorization failed, cookies are enabled",
    "tokens: 5, the token is expired",
    "http://prometheus:9090/graph?g0.expr=up&g0.tab=1",
    "http://prometheus:9090/graph?g0.expr=up+@+end(),mail@example.org",
    "http://[2001:db8::1]:9090/path@x",
    "mongodb://one:27017,two:27017/db?contact=ops@example.org",
    "https://sentry.example.org/issues/?query=user.email%3Abob%40example.org",
    "?next=http%3A%2F%2Fhost%3A8080%2Fpath%40x",
    "passed: 5, compass=north, bypass: on, byPass=on, passenger='bob', trespass: x, surpass=1, password-less: yes",
    "--- PASS: TestOrders (0.00s)",
    "pass: 12, fail: 3; pass=12 fail=3; second pass: done",
    "missing fields: ['password', 'username', 'email']",
    "invalid_token: no, password_changed: yes, api_keyring=x, passwordless=1",
    "input('Password: ') is what it asks with, token == Literal",
    "after authorization, the request went on",
    "{'secret': 'tls-cert', 'token': 'default'} or [('secret', 'tls-cert'), ('token', 'default')]",
    '{"Name": "Channel", "Value": "passenger"}',
]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_stays(text: str) -> None:
    assert cleaned({"message": text}) == ({"message": text}, 0)


NAMED = (
    "password Password DB_PASSWORD userPasswd passwd password_confirmation password2 pass DB_PASS smtp.pass dbPass"
    " api-key X-Api-Key accessToken client_secret github_token secret private_key sessionid AccountKey SharedAccessKey"
    " Authorization HTTP_AUTHORIZATION Set-Cookie cookies HTTP_COOKIE"
)


@pytest.mark.parametrize("name", NAMED.split())
@pytest.mark.parametrize("value", ["x", 5, ["a", "b"], {"a": 1}])
def test_the_value_of_a_key_that_says_secret_is_taken_out_whole(name: str, value: Any) -> None:
    assert cleaned({"extra": {name: value, "other": 1}}) == ({"extra": {name: MASK, "other": 1}}, 1)


OTHERS = (
    "author tokenizer max_tokens secret_name token_type password_changed passed Compass bypass by_pass byPass passenger"
    " pass_rate passport trespass passes cookie_policy authorization_url AccountKeyName api_key_id"
)


@pytest.mark.parametrize("name", OTHERS.split())
def test_other_keys_keep_their_values(name: str) -> None:
    assert cleaned({name: "x"}) == ({name: "x"}, 0)


@pytest.mark.parametrize("value", [None, "", True, False, MASK, [], {}])
def test_what_holds_nothing_is_not_counted(value: Any) -> None:
    assert cleaned({"password": value}) == ({"password": value}, 0)


def test_labels_name_a_secret_but_hold_none() -> None:
    labels = {"secret": "tls-cert", "token": "x"}
    assert cleaned({"labels": labels, "commonLabels": labels}) == ({"labels": labels, "commonLabels": labels}, 0)
    assert cleaned({"labels": {"password": "hunter2"}}) == ({"labels": {"password": MASK}}, 1)


def test_pairs_are_read_as_names_and_values() -> None:
    pairs = [["Host", "x"], ["Cookie", "a=b"], ["Authorization", "Bearer x"]]
    assert cleaned(pairs) == ([["Host", "x"], ["Cookie", MASK], ["Authorization", MASK]], 2)
    named = [{"name": "api_key", "value": "k"}, {"KEY": "DB_PASS", "name": "x", "VALUE": 5}, {"Name": "n", "Value": 1}]
    masked = [{"name": "api_key", "value": MASK}, {"KEY": "DB_PASS", "name": "x", "VALUE": MASK}, named[2]]
    assert cleaned(named) == (masked, 2)


@pytest.mark.parametrize("depth", range(5))
@pytest.mark.parametrize("name", ["password", "Authorization", "Cookie", "pass", "slack_token"])
def test_json_in_json_in_json_hides_nothing_and_stays_json(depth: int, name: str) -> None:
    told: Any = {name: 'Credential-0 a="x", response="pl\\an\\"ted\\\\"', "user": "bob"}
    for _ in range(depth + 1):
        told = json.dumps(told)
    found, count = cleaned({"m": told})
    told = found["m"]
    for _ in range(depth + 1):
        told = json.loads(told)
    assert (told, count) == ({name: MASK, "user": "bob"}, 1)


def test_what_was_taken_out_hides_nothing_beside_it() -> None:
    rules = Redaction(patterns=("acct-[0-9]+",))
    for text in ("Cookie: a=acct-1; b=planted", '"password": "acct-1 planted"', "password: ['acct-1', 'planted']"):
        assert "planted" not in str(cleaned({"m": text}, rules))


def test_keys_are_texts_too() -> None:
    assert cleaned({"password=hunter2": 1}) == ({"password=[redacted]": 1}, 1)


def test_a_users_patterns_and_keys() -> None:
    rules = Redaction(patterns=("acct-[0-9]{8}", "card (?P<secret>[0-9]{4})"), keys=("ssn", "Card_Number"))
    found, count = cleaned({"m": "acct-12345678 with card 4711 left", "SSN": "1", "cardNumber": 2, "x": "y"}, rules)
    assert found == {"m": f"{MASK} with card {MASK} left", "SSN": MASK, "cardNumber": MASK, "x": "y"}
    assert count == 4


@pytest.mark.parametrize("number", [4111111111111111, 4111111111111111.0])
def test_a_users_patterns_find_numbers_too(number: float) -> None:
    rules = Redaction(patterns=(r"\b[0-9]{16}\b", r"7(?P<secret>[0-9]{2})7"), defaults=False)
    found, count = cleaned({"card": number, "list": [number, 7127, 5, 0.5, True, None]}, rules)
    assert (found, count) == ({"card": MASK, "list": [MASK, f"7{MASK}7", 5, 0.5, True, None]}, 3)
    assert cleaned({"card": number}) == ({"card": number}, 0)


def test_the_defaults_can_be_left_out() -> None:
    document = {"password": "a", "m": "acct-12345678 password=b"}
    assert cleaned(document, Redaction(defaults=False)) == (document, 0)
    found, _ = cleaned(document, Redaction(defaults=False, patterns=("acct-[0-9]+",)))
    assert found == {"password": "a", "m": f"{MASK} password=b"}


@pytest.mark.parametrize(("pattern", "problem"), [("(", "missing"), ("(?=x)", "invalid"), ("x*", "empty text")])
def test_a_pattern_that_is_none_is_told(pattern: str, problem: str) -> None:
    assert problem in (mistake_in(pattern) or "")
    assert mistake_in("x+") is None


@pytest.mark.parametrize(
    "body",
    [
        rb'{"m": "postgres:\/\/app:hunter2@db\/x"}',
        rb'{"m": "\u0070assword=hunter2"}',
        rb'{"\u0070assword": "hunter2"}',
        rb'{"m": "postgres://app:hunter2\u0040db/x"}',
        rb'{"m": "a\npass=hunter2"}',
        rb'{"m": "\u00e9\u000apass\u0009= hunter2"}',
        rb'{"m": "x\u0026auth=hunter2"}',
    ],
)
def test_escapes_hide_nothing(body: bytes) -> None:
    found, count = redact(json.loads(body), body, USUAL)
    assert "hunter2" not in json.dumps(found)
    assert count == 1


def test_what_holds_no_secret_is_the_same_object_and_costs_next_to_nothing() -> None:
    for file in [*HERE.glob("recordings/alertmanager/am-*.json"), HERE.parent / "examples/alertmanager-firing.json"]:
        body = file.read_bytes()
        document = json.loads(body)
        assert redact(document, body, USUAL)[0] is document, file.name


def test_megabytes_stay_quick() -> None:
    began = time.perf_counter()
    cleaned({"m": "password " * 500_000, "n": "a=b;" * 500_000, "o": "://" * 300_000})
    for part in ('password=("', "a://b:c", "a://b:c@ ", 'cookie:a="', "('pass','", '\\"token\\"=\\"', "x%3a//a%3ab%40"):
        cleaned({"m": part * (500_000 // len(part)), "n": f"{part}\n" * (500_000 // len(part))})
    assert time.perf_counter() - began < 20  # a hang, not a measure of speed


PARTS = st.sampled_from([*SECRETS, *ORDINARY, "ü€\n\"'\\", MASK])
TEXTS = st.lists(PARTS, min_size=1, max_size=3).map(" ".join) | st.text(max_size=20)
DOCUMENTS = st.recursive(
    TEXTS | st.none() | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["password", "labels", "token", "m", "name", "value"]), inner, max_size=4)
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(document=DOCUMENTS)
def test_redacting_twice_changes_nothing_more(document: Any) -> None:
    once, _ = cleaned(document)
    assert cleaned(once) == (once, 0)


@settings(max_examples=300, deadline=None)
@given(document=DOCUMENTS, ascii_only=st.booleans())
def test_the_first_look_at_the_body_never_misses_one(document: Any, ascii_only: bool) -> None:
    walked = redact(document, rb"password", USUAL)  # a body with a hint in it is always walked
    assert redact(document, json.dumps(document, ensure_ascii=ascii_only).encode("utf-8", "replace"), USUAL) == walked
