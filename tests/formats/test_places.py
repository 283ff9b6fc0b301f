"""What may stand at each place of a record, and what a value becomes there: places.tsv, one line a place.

`text` is what the template has before it, with ◇ where it prints a value; `other`, where it is there, is another branch
of the template that ends here, too. Then comes the place in words with what is made of VALUE in it, or why not.
␊, ␍ and ␉ stand for line ends and tabs.
"""

from pathlib import Path

import pytest

from receiver.formats import plain
from receiver.formats.csv import escape as of_csv
from receiver.formats.errors import MisplacedError, RefusedError
from receiver.formats.escaping import FORMATS, OutputContext
from receiver.formats.text import escape as of_text

VALUE = "=a\n\"'|^~\\&#<b"
FORMS = {name: (module, module.START) for name, module in FORMATS.items()} | {
    "csv ;": (of_csv, of_csv.start(";", "always")),
    "text without |": (of_text, "|"),
    "plain": (plain, "|\n\r<"),
}
PICTURES = {"\n": "␊", "\r": "␍", "\t": "␉"}
CONTROLS = {picture: control for control, picture in PICTURES.items()}


def walked(form, text):
    context = OutputContext(*FORMS[form])
    for number, piece in enumerate(text.translate(str.maketrans(CONTROLS)).split("◇")):
        context = (context.after() if number else context).advance(piece)
    return context


def told(form, text, other=""):
    try:
        context = walked(form, text)
        context = context.merge(walked(form, other)) if other else context
        if context is None:
            return "no place of both"
        printed = context.format.escaper(context.state, None)(VALUE.replace("\n", "") if "text" in form else VALUE)
    except MisplacedError as error:
        return f"{error.message} at {error.offset}"
    except RefusedError as error:
        return f"{error}"
    return f"{context.format.describe(context.state)}: {printed}".translate(str.maketrans(PICTURES))


def places():
    table = Path(__file__).with_name("places.tsv").read_text(encoding="utf-8")
    return [line.split("\t") for line in table.splitlines()][1:]


@pytest.mark.parametrize(("form", "text", "other", "then"), places())
def test_a_place_is_known_by_what_stands_before_it(form, text, other, then):
    assert told(form, text, other) == then
