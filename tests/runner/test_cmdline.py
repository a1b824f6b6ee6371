# SPDX-License-Identifier: MIT
"""The kernel's command line, as it is written; the unit tests of the kernel's side have the same
rules."""

import itertools

from kozo import cmdline
from kozo.errors import UsageProblem


def _refused(call, text):
    try:
        call()
    except UsageProblem as e:
        assert text in str(e), e
    else:
        raise AssertionError(f"not refused: {text}")


def test_words_are_parted_outside_of_quotes():
    for line, words in (("", []), ("  a\tb=1 ", ["a", "b=1"]), ('a="x y" b', ['a="x y"', "b"]),
                        (r'a="x \" y" b', [r'a="x \" y"', "b"]), (r'a="\\" b', [r'a="\\"', "b"]),
                        (r"a\" b", ['a\\" b']), (r"a\ b", ["a\\", "b"])):
        assert cmdline.words(line)[0] == words, line
    for line, closed in (('a="x', False), ('a="x"', True), (r'a="\"', False), (r'a="\\"', True),
                         (r'a\""', True)):
        assert cmdline.words(line)[1] == closed, line


def test_every_value_is_one_word():
    for letters in itertools.product('x "\\\t=', repeat=5):
        value = "".join(letters)
        word = cmdline.word("kozo.run", value)
        assert cmdline.words(f"a {word} b") == (["a", word, "b"], True), value
        inside = iter(word.removeprefix('kozo.run="')[:-1])
        assert "".join(next(inside) if c == "\\" else c for c in inside) == value


def test_what_cannot_be_carried_is_refused():
    assert cmdline.commands('echo "a\tb" \u00fc') == 'kozo.run="echo \\"a\tb\\" \u00fc"'
    for text, told in (("a\nb", "character 2 is 0x0a"), ("\x1b", "character 1 is 0x1b"),
                       ("abc\x7f", "character 4 is 0x7f")):
        _refused(lambda text=text: cmdline.commands(text), told)
    assert cmdline.check("x" * cmdline.MOST)
    for line in ("x" * (cmdline.MOST + 1), "\u00fc" * 512, "\udcff" * 1024):
        _refused(lambda line=line: cmdline.check(line), "and the kernel takes 1023")
