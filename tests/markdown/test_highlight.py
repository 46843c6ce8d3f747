"""Code in colours: exactly the code, known classes, and never for ever."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, strategies as st

from polly_htmx.markdown import render
from polly_htmx.markdown.highlight import (
    CLASSES,
    MAX_CHARS,
    MAX_CHARS_OF_TEXT,
    highlight,
    language_of,
)
from polly_htmx.markdown.lexers import NAMES
from tests.oracle import parsed, text_of

STRUCTURE = (
    "\"'`\\/<>{}[]()|$#@!%&*-+=:;.,?~^_ a1\n\t",
    ["a ", "/*", "//", "${", "{{", "{%", "<!--", "<a b=", '"""', "'''", '\\"', "a.b"],
    ["$(", 'r"', "--", "a: ", "\n-", "\n+", "\n@@", "\n$ ", "a(", "#[", "a!", "&#"],
)


@pytest.mark.parametrize(
    ("language", "code", "kind", "text"),
    [
        ("python", "def f(): pass", "keyword", "def"),
        ("python", "x = f'''a\nb'''", "string", "f'''a\nb'''"),
        ("python", "@a.b\ndef c(): ...", "attribute", "@a.b"),
        ("js", "const a = `b\nc`", "string", "`b\nc`"),
        ("c", "#include <a.h>", "attribute", "#include"),
        ("rust", "fn f<'a>(b: &'a str)", "type", "str"),
        ("go", "x := 12.5 // y", "comment", "// y"),
        ("sql", "SELECT a FROM b", "keyword", "SELECT"),
        ("html", '<p class="a">b</p>', "keyword", "<p"),
        ("html", '<p class="a">b</p>', "string", '"a"'),
        ("django", "{% if a %}b{% endif %}", "attribute", "{% if a %}"),
        ("diff", "-a\n+b", "inserted", "+b"),
        ("console", "$ ls\nfile", "prompt", "$ "),
        ("json", '{"a": true}', "constant", "true"),
        ("yaml", "a: b # c", "attribute", "a"),
        ("bash", "echo $HOME", "variable", "$HOME"),
        ("pycon", ">>> 1\n1", "prompt", ">>> "),
        ("Python", "return 1", "number", "1"),
    ],
)
def test_code_is_coloured(language: str, code: str, kind: str, text: str) -> None:
    spans = parsed(highlight(code, language)).iter("span")
    assert (f"polly-hl-{kind}", text) in [(s.get("class"), s.text) for s in spans]


@pytest.mark.parametrize("language", sorted(NAMES))
@given(
    st.text(alphabet=st.sampled_from("\"'`\\/<>{}[]()$#@%*-+=:. \n\tab1A"), max_size=60)
)
def test_code_is_kept_to_the_letter(language: str, code: str) -> None:
    html = highlight(code, language)
    assert text_of(f"<pre>\n{html}</pre>") == code
    assert set(re.findall(r'class="([^"]*)"', html)) <= CLASSES


@pytest.mark.parametrize("language", sorted(NAMES))
def test_hostile_code_is_read_in_linear_time(language: str) -> None:
    size = 4_000
    start = time.thread_time()
    for unit in [unit for units in STRUCTURE for unit in units]:
        highlight(f'"{unit * size}'[:size], language)
    # 64 patterns; with the square of the length some would take seconds each.
    assert time.thread_time() - start < 6


@pytest.mark.parametrize(
    ("language", "unit"),
    [("css", "a-b"), ("css", "--"), ("ini", ".a"), ("toml", "a-"), ("yaml", "-")],
)
def test_what_might_be_a_key_is_looked_at_once(language: str, unit: str) -> None:
    def seconds(size: int) -> float:
        code, start = (unit * size)[:size], time.thread_time()
        highlight(code, language)
        return time.thread_time() - start

    short, long = (min(seconds(size) for _ in range(3)) for size in (2_500, MAX_CHARS))
    # Eight times the length: with its square it would be 64 times the work.
    assert long < 30 * short


@pytest.mark.parametrize(
    ("info", "language"),
    [
        ("python", "python"),
        ("c++ title=x", "c++"),
        ("", ""),
        ('"><img', ""),
        ("python\u00a0x", "python"),
        ("a" * 31, ""),
        ("{.python}", ""),
        ("пайтон", ""),
    ],
)
def test_language_is_a_plain_word(info: str, language: str) -> None:
    assert language_of(info) == language


def test_info_is_shown_and_language_is_a_class() -> None:
    html = render('```python onclick="x"\na\n```')
    assert '<div class="polly-code__info">python onclick="x"</div>' in html
    assert '<code class="language-python">' in html


def test_code_beyond_the_limits_has_no_colours() -> None:
    line = "return 1234567890\n"
    assert "polly-hl" in render(f"```py\n{line}```")
    assert "polly-hl" not in render(f"```py\n{line * (MAX_CHARS // len(line) + 1)}```")


def test_code_of_a_text_shares_one_budget() -> None:
    block = f"```py\n{'return 1234567890 ' * 100}\n```\n\n"
    html = render(block * 60)
    coloured = sum("polly-hl" in part for part in html.split("</pre>"))
    assert coloured == MAX_CHARS_OF_TEXT // 1801
    assert html.count("<pre") == 60


def test_code_is_plain_when_a_lexer_changes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Tidy:
        def get_tokens(self, code: str) -> list[tuple[object, str]]:
            return [(None, code.strip())]

    monkeypatch.setattr("polly_htmx.markdown.highlight.lexer", lambda _: Tidy())
    assert highlight(" <a> ", "python") == " &lt;a&gt; "
