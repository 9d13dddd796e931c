"""`alertsage rules`: the rule book to look at, and tried on alerts."""

from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path

from receiver.bodies import Unread, sightings
from receiver.domain.adjust import Adjustment
from receiver.domain.examples import Example
from receiver.domain.phrases import Values
from receiver.domain.rules import Book, Rule
from receiver.domain.trials import trials
from receiver.errors import Mistake, Mistakes
from receiver.flow.book import as_data, file_and_line
from receiver.flow.setup import build, survey_of
from receiver.flow.tryout import Tryout
from receiver.meters import Meters
from receiver.rulebook import Entry
from receiver.rulebook.form import CLOSE
from receiver.rulebook.prove import seen
from receiver.settings import Settings
from receiver.terminal import json_line, one_line, visible


def listing(settings: Settings, words: Sequence[str], as_json: bool) -> Iterator[str]:
    """A line for each rule in which all the words stand, whatever their case. Raises Mistakes."""
    _, entries = survey_of(settings)
    sought = [word.lower() for word in words]
    found = [entry for entry in entries if all(word in _searched(entry) for word in sought)]
    if as_json:
        yield from (json_line(as_data(entry)) for entry in found)
        return
    width = max((len(entry.id) for entry in found), default=0)
    does = max((len(entry.does) for entry in found), default=0)
    for entry in found:
        rank = f"{entry.rule.rank:>4}" if isinstance(entry.rule, Rule) else "   -"
        yield visible(f"{rank}  {entry.id:{width}}  {entry.does:{does}}  {_near(entry.place)}{_beside(entry)}")
    yield f"{len(found)} of {len(entries)} rules" if words else f"{len(found)} rules"


def show(settings: Settings, rule_id: str) -> Iterator[str]:
    """The rule as written, where it stands, and what it says of its own examples. Raises Mistakes."""
    book, entries = survey_of(settings)
    for entry in _named(entries, rule_id):
        yield visible(f"{_near(entry.place)}{_beside(entry)}\n\n{entry.written}\n")
        if entry.rule is not None:
            for example in entry.rule.examples:
                view = seen(book, entry.rule, example)
                yield visible(_judged(entry.rule, example, bool(entry.rule.when.holds(view))))
                if example.matches:
                    yield from _says(entry.rule, Values(view))


def test(settings: Settings, paths: Sequence[str], source: str | None, rule_id: str | None) -> Iterator[str | int]:
    """Which rules apply to each alert in these webhook bodies, or why that one does or does not; at last the exit code.

    Raises Mistakes for a file that cannot be read, an unknown source or rule, a broken configuration.
    """
    setup = build(settings, Meters())
    asked = None if rule_id is None else _asked(settings, setup.book, rule_id)
    unread = Unread()
    for sighting in sightings(paths, settings, source, unread):
        tried = Tryout(setup, sighting)
        yield visible(one_line(f"{tried.view.name or 'alert without a name'}: {tried.view.title}"))
        yield from (_applies(rule, tried) for rule in tried.applying()) if asked is None else _why(asked, tried)
        yield ""
    yield unread.tell()


def _asked(settings: Settings, book: Book, rule_id: str) -> list[Rule | Adjustment]:
    """The rules of that id. Raises Mistakes when there is none in force."""
    rules: Sequence[Rule | Adjustment] = (*book.adjustments.rules, *book.rules)
    found = [rule for rule in rules if rule.id == rule_id]
    if not found:
        off = _named(survey_of(settings)[1], rule_id)[0]
        raise Mistakes([Mistake(*file_and_line(off.off), off.id, "is switched off here, so it applies to nothing")])
    return found


def _applies(rule: Rule | Adjustment, tried: Tryout) -> str:
    says = (
        0
        if isinstance(rule, Adjustment)
        else sum(say.about(Values(tried.view), rule.id) is not None for say in rule.say)
    )
    does = f"sets {rule.sets}" if isinstance(rule, Adjustment) else f"{says} of {len(rule.say)} recommendations"
    rank = f"{rule.rank:>6}" if isinstance(rule, Rule) else "     -"
    return visible(f"{rank}  {rule.id}  {does}  {_near(f'{rule.file}:{rule.line}')}")


def _why(rules: Sequence[Rule | Adjustment], tried: Tryout) -> Iterator[str]:
    """Each test of the rule, what it saw, and whether it held."""
    for rule in rules:
        view = tried.seen_by(rule)
        applies = "applies" if rule.when.holds(view) else "does not apply"
        yield visible(f"  {rule.id} {applies}  ({_near(f'{rule.file}:{rule.line}')})")
        for trial in trials(rule.when, view):
            saw = "" if trial.saw is None else f"   it is {one_line(trial.saw)}"
            yield visible(f"    {'  ' * trial.depth}{'yes' if trial.held else 'no ':3}  {one_line(trial.said)}{saw}")


def _judged(rule: Rule | Adjustment, example: Example, applies: bool) -> str:
    told = "applies to" if applies else "does not apply to"
    wrong = "" if applies is example.matches else "  WRONG: its example says otherwise"
    labels = ", ".join(f'{name}="{value}"' for name, value in example.labels.items())
    of = one_line(f"{example.name or 'an alert without a name'} {{{labels}}} {example.expr}")
    return f"{told} {of.strip()}{wrong}"


def _says(rule: Rule | Adjustment, values: Values) -> Iterator[str]:
    if isinstance(rule, Adjustment):
        yield f"    sets {rule.sets}"
        return
    for number, say in enumerate(rule.say, 1):
        told = say.about(values, rule.id)
        if told is None:
            yield f"    {number}. is not said: a blank is not filled"
            continue
        yield visible(f"    {number}. {'CAREFUL: ' if told.careful else ''}{one_line(told.text)}")
        yield from (visible(f"       {mark}{text}") for mark, text in (("$ ", told.command), ("", told.link)) if text)


def _named(entries: Sequence[Entry], rule_id: str) -> list[Entry]:
    """The rules of that id: a recommendation and an adjustment may share one. Raises Mistakes when there is none."""
    found = [entry for entry in entries if entry.id == rule_id]
    if not found:
        close = get_close_matches(rule_id, [entry.id for entry in entries], 3, CLOSE)
        hint = f"did you mean {', '.join(close)}?" if close else "alertsage rules list shows all there are"
        raise Mistakes([Mistake("rules", 0, "", f"there is no rule {visible(rule_id)[:80]}; {hint}")])
    return found


def _searched(entry: Entry) -> str:
    return f"{entry.kind} {entry.written} {entry.place} {entry.does}".lower()


def _beside(entry: Entry) -> str:
    if entry.off:
        return f"  (switched off by {_near(entry.off)})"
    return f"  (in place of {_near(entry.replaces)})" if entry.replaces else ""


def _near(place: str) -> str:
    """`file:line`, from the current folder if it lies within."""
    file, line = file_and_line(place)
    return f"{Path(file).relative_to(Path.cwd()) if Path(file).is_relative_to(Path.cwd()) else file}:{line}"
