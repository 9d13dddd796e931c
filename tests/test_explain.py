"""`alertsage explain`: for people at a terminal, and as JSON for programs."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.servers import ALERTSAGE, firing, resolved, webhook

FIELDS = {
    "fingerprint", "source", "labels", "annotations", "title", "message", "category", "priority", "priority_terms",
    "subject", "metric", "value", "threshold", "direction", "unit", "overage_percent", "impact", "facts",
    "recommendations", "links", "provenance", "enrichers", "status",
}  # fmt: skip
SAMPLE = Path(__file__).parent.parent / "examples" / "alertmanager-firing.json"


def explain(folder: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[str]:
    """Run it in that folder."""
    done = subprocess.run([ALERTSAGE, "explain", *arguments], cwd=folder, input=given, capture_output=True, check=False)
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_json_has_exactly_the_promised_fields(tmp_path):
    done = explain(tmp_path, "--json", str(SAMPLE))
    disk, pod = map(json.loads, done.stdout.splitlines())
    assert (done.returncode, done.stderr) == (0, "")
    assert set(disk) == FIELDS
    assert (disk["threshold"], disk["value"], disk["direction"], disk["unit"]) == (5, 2.1, "below", "percent")
    assert disk["impact"] == {"users": "unknown", "source": None}
    assert set(pod["recommendations"][0]) == {"text", "command", "link", "rule", "careful"}
    assert all(set(term) == {"rule", "input", "effect"} for term in disk["priority_terms"])


def test_a_resolved_alert_does_not_look_like_a_firing_one(tmp_path):
    done = explain(tmp_path, str(SAMPLE.with_name("alertmanager-resolved.json")))
    assert done.stdout.startswith("RESOLVED, was HIGH  /var on db-1")
    done = explain(tmp_path, "--json", str(SAMPLE.with_name("alertmanager-resolved.json")))
    assert json.loads(done.stdout.splitlines()[0])["status"] == "resolved"


def test_a_terminal_gets_it_in_an_order_to_act_by(tmp_path):
    done = explain(tmp_path, str(SAMPLE))
    text = done.stdout
    assert text.startswith("HIGH  /var on db-1 is almost full")
    assert text.index("why this priority") < text.index("what to do") < text.index("links")
    assert "$ ssh db-1.example.org 'df -h /var; sudo timeout 120 du -xh --max-depth=2 /var 2>/dev/null" in text
    assert "CAREFUL" in text


@pytest.mark.parametrize("form", ["one", "array", "lines", "wrapped", "pretty"])
def test_every_form_of_input(tmp_path, form):
    one, two = (
        webhook(firing("A", host="1")),
        webhook(firing("B", host="2"), resolved(firing("C"), "2026-11-24T00:00:00Z")),
    )
    given = {
        "one": json.dumps(two),
        "array": json.dumps([one, two]),
        "lines": json.dumps(one) + "\n\n" + json.dumps(two) + "\n",
        "wrapped": json.dumps({"id": 1, "payload": one}) + "\n" + json.dumps({"id": 2, "payload": two}),
        "pretty": json.dumps(one, indent=2),
    }[form]
    done = explain(tmp_path, "--json", "-", given=given.encode())
    names = [json.loads(line)["labels"]["alertname"] for line in done.stdout.splitlines()]
    assert names == {"one": ["B", "C"], "pretty": ["A"]}.get(form, ["A", "B", "C"])


def test_what_cannot_be_read_is_told_and_the_rest_is_explained(tmp_path):
    given = "\n".join(json.dumps(body) for body in (webhook(firing("A"), {"status": "odd"}), {"x": 1}))
    done = explain(tmp_path, "--json", "-", given=given.encode())
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 1
    assert 'standard input:1: alerts.1: status is "odd", neither firing nor resolved' in done.stderr
    assert "standard input:2: this is the form of none of Alertmanager's" in done.stderr


def test_a_bad_line_spoils_no_other_and_a_byte_order_mark_none_at_all(tmp_path):
    lines = [b"not json", json.dumps(webhook(firing("A"))).encode(), b'{"version": "4", "alerts": [', b"{}"]
    done = explain(tmp_path, "--json", "-", given=b"\xef\xbb\xbf" + b"\n".join(lines))
    assert [json.loads(line)["labels"]["alertname"] for line in done.stdout.splitlines()] == ["A"]
    assert [line.split(" ")[1].split(":")[1] for line in done.stderr.splitlines()] == ["1", "3", "4"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "missing.json: cannot be read: No such file or directory"), (b"  \n", "is empty")],
)
def test_files_that_are_no_use(tmp_path, content, sentence):
    if content is not None:
        (tmp_path / "missing.json").write_bytes(content)
    done = explain(tmp_path, "missing.json")
    assert (done.returncode, done.stdout) == (2, "")
    assert sentence in done.stderr


def test_binary_rubbish_is_told_in_one_line(tmp_path):
    done = explain(tmp_path, "-", given=bytes(range(256)))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_no_text_of_an_alert_is_obeyed_by_the_terminal(tmp_path):
    nasty = "\x1b[31mred\x07\x9b0m \u202egnp"
    body = webhook(firing(nasty, annotations={"summary": nasty, "description": nasty, nasty: nasty}, host=nasty))
    for body_text in (body, webhook(firing("A"), {"status": nasty})):
        done = explain(tmp_path, "-", given=json.dumps(body_text).encode())
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(done.stdout + done.stderr)


def test_a_users_enricher_runs_too(tmp_path):
    (tmp_path / "own.py").write_text("def owner(alert, context):\n    return {'facts': {'owner': alert.name + '!'}}\n")
    (tmp_path / "config.yaml").write_text("enrichers: {owner: {use: './own.py:owner'}}\n")
    done = explain(tmp_path, "--json", "-", given=json.dumps(webhook(firing("A"))).encode())
    found = json.loads(done.stdout)
    assert found["facts"]["owner"] == "A!"
    assert found["enrichers"][-1]["outcome"] == "ok"


def test_thousands_in_one_go(tmp_path):
    lines = [json.dumps(webhook(firing(f"Alert{n % 50}", host=f"h{n}"))) for n in range(3000)]
    (tmp_path / "many.jsonl").write_text("\n".join(lines))
    done = explain(tmp_path, "--json", "many.jsonl")
    assert len(done.stdout.splitlines()) == 3000


def test_a_reader_that_goes_away_is_no_fault(tmp_path):
    lines = [json.dumps(webhook(firing("A", host=f"h{n}"))) for n in range(2000)]
    (tmp_path / "many.jsonl").write_text("\n".join(lines))
    done = subprocess.run(
        f"{ALERTSAGE} explain many.jsonl | head -1",
        shell=True,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("MEDIUM  A on h0")
    assert "Traceback" not in done.stderr


def test_json_escapes_what_a_terminal_would_obey_and_loses_nothing(tmp_path):
    nasty = "\x1b[31mred\x07\x9b0m \u202egnp"
    done = explain(tmp_path, "--json", "-", given=json.dumps(webhook(firing(nasty, host=nasty))).encode())
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(done.stdout + done.stderr)
    assert json.loads(done.stdout)["labels"]["host"] == nasty


def test_a_text_of_an_alert_cannot_pass_for_another_alert(tmp_path):
    forged = "A\nCRITICAL  Everything is down"
    body = webhook(firing("A", annotations={"summary": forged, "description": forged}, host=forged))
    done = explain(tmp_path, "-", given=json.dumps(body).encode())
    assert [line for line in done.stdout.splitlines() if line and not line.startswith(" ")] == [
        "MEDIUM  A CRITICAL  Everything is down".replace("  E", " E")
    ]


def test_a_body_is_explained_by_its_form_whatever_is_configured(tmp_path):
    (tmp_path / "config.yaml").write_text("sources: {s: {kind: sentry}}\n")
    assert explain(tmp_path, str(SAMPLE)).returncode == 0


def test_a_source_that_is_not_configured_is_told(tmp_path):
    (tmp_path / "config.yaml").write_text("sources: {uptime: {}}\n")
    done = explain(tmp_path, "--source", "uptim", str(SAMPLE))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == 'config.yaml:1: sources: has no source uptim; did you mean "uptime"?\n'


def test_many_mistakes_are_told_once_and_counted(tmp_path):
    done = explain(tmp_path, "-", given=b'{"x": 1}\n' * 50)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 11
    assert done.stderr.endswith("... and 40 more that could not be read\n")


def test_the_readme_shows_what_comes_out(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    readme = (SAMPLE.parent.parent / "README.md").read_text()
    shown = readme.split("explain examples/alertmanager-firing.json\n")[1].split("```")[0]
    first, after = shown.split("...\n")
    said = explain(tmp_path, str(SAMPLE)).stdout
    assert said.startswith(first)
    assert after in said


def test_a_body_of_any_size_is_known_by_its_form(tmp_path):
    large = webhook(firing("A", annotations={"description": "x" * 2**17}))
    assert explain(tmp_path, "--json", "-", given=json.dumps(large).encode()).returncode == 0


@pytest.mark.parametrize("given", ["{}", json.dumps({"text": "x" * 2**17})])
def test_a_body_of_no_known_form_is_told_with_the_way_out(tmp_path, given):
    done = explain(tmp_path, "-", given=given.encode())
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "standard input: this is the form of none of Alertmanager's, Grafana's or Sentry's webhooks;"
        " name the source that it is for: --source NAME\n"
    )
