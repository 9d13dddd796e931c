"""docs/rules.md cannot lie: its rules are loaded and proven, its vocabulary is complete."""

import re
from pathlib import Path

from receiver.domain.conditions import FIGURES, NUMBERS, TEXTS
from receiver.domain.vocabulary import Category, Priority
from receiver.rulebook import load_book, prove
from receiver.rulebook.adjust import KEYS, SET
from receiver.rulebook.load import _RULE, _SAY
from tests.views import view

PAGE = (Path(__file__).parent.parent / "docs" / "rules.md").read_text()


def test_the_rules_of_the_page_prove_themselves(tmp_path):
    (tmp_path / "recommendations").mkdir()
    rules = re.findall(r"```yaml rules\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "recommendations" / "page.yaml").write_text("".join(rules))
    book = load_book(tmp_path)
    assert prove(book) == []
    alert = view("QueueGrowing", "rabbitmq_queue_messages_ready > 1000", queue="billing-eu", instance="mq-1:15692")
    first, second = book.recommend(alert)[:2]
    assert first.text == "See whether anybody fetches from billing-eu on mq-1:15692:"
    assert (second.command, second.careful) == ("rabbitmqctl purge_queue billing-eu", True)
    assert second.link == "https://wiki.example.org/billing/billing-eu"


def test_the_adjustments_of_the_page_prove_themselves(tmp_path):
    (written,) = re.findall(r"```yaml adjustments\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "adjust.yaml").write_text(written)
    book = load_book(tmp_path)
    assert prove(book) == []
    assert [rule.sets for rule in book.adjustments.rules] == [
        "priority low, expire_after 12h",
        "category business, priority high",
    ]


def test_every_word_of_the_grammar_is_on_the_page():
    for word in (*TEXTS, *FIGURES, *NUMBERS, *_RULE, *_SAY, *KEYS, *SET, *Priority, *Category):
        assert f"`{word}" in PAGE, word
