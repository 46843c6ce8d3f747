"""Formulas: what is one, what becomes of it, and what can't be smuggled in with it."""
# ruff: noqa: RUF001 - these are the signs that are meant

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st

from polly_htmx.markdown import MarkdownStream, render
from polly_htmx.markdown.formulas import MAX_CHARS, MAX_CHARS_IN_LINE
from polly_htmx.markdown.mathml import Unreadable, to_mathml
from polly_htmx.markdown.mathml.commands import COMMANDS
from polly_htmx.markdown.mathml.elements import element
from tests.markdown.page import (
    KEY,
    at_random,
    by_character,
    finished,
    open_piece,
    shown,
    watched,
)
from tests.oracle import MATH, assert_inert, parsed, text_of


def formulas(html: str) -> list[str]:
    """Return what can be read in each formula."""
    return ["".join(found.itertext()) for found in parsed(html).iter(MATH + "math")]


def inside(latex: str) -> str:
    """Return the MathML of a formula without the element around it."""
    html = to_mathml(latex, display=False)
    return html.removeprefix("<math>").removesuffix("</math>")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Let $x$ be.", ["x"]),
        ("$x$, $n$th and ($y$)", ["x", "n", "y"]),
        ("设$x$为。", ["x"]),
        (r"\(a\) and \[b\]", ["a", "b"]),
        ("$$a$$ where $b$", ["a", "b"]),
        ("$$\nx =\n1\n$$", ["x=1"]),
        ("\\[\nx\n\\]", ["x"]),
        ("$a\nb$", ["ab"]),
        ("# H $x$", ["x"]),
        ("**$x$** and *a $y$ b*", ["x", "y"]),
        ("- a $x$\n\n  $$\n  y\n  $$\n- b", ["x", "y"]),
        ("> $x$", ["x"]),
        ("|a|\n|-|\n|$x$|", ["x"]),
        ("|$a$|\n|-|\n|b|", ["a"]),
        ("[a $x$](https://a.example)", ["x"]),
        (r"$\$5$", ["$5"]),
        (r"$a_b*c*d_e$", ["ab∗c∗de"]),
        ("$$\na\n- b\n+ c\n$$", ["a−b+c"]),
        ("$$\na\n=\n- b\n$$\nd", ["a=−b"]),
        ("\\[\nx\n---\n> y\n* z\n\\]", ["x−−−>y∗z"]),
        ("$$a\n- b$$ c.\n- d", ["a−b"]),
        ("\\[ a\n- b\n\\]\n# H", ["a−b"]),
        ("x:\n\\[\na\n- b\n\\]\nc\n$$\nd\n+ e\n$$\n- f", ["a−b", "d+e"]),
        ("x. y\n  $$\n= a\n$$\n===", ["=a"]),
        ("- x\n\n  $$\n  a\n  - b\n  $$\n- y", ["a−b"]),
        ("> $$\n> a\n> - b\n> $$", ["a−b"]),
        # Those are none.
        ("$$ is a number\n- b\n$$", []),
        ("$$\na\n# b\n$$", []),
        ("$$\na\n```\n- b\n$$", []),
        ("- $$\n- a\n$$", []),
        ("> $$\n- a\n$$", []),
        ("$$\na\n\n- b\n$$", []),
        ("It costs $5 and $10, or $20.", []),
        ("US$5m, US$6m and $5–$10", []),
        ("$HOME/bin:$PATH and ${a}$B", []),
        ("$ x$ and $x $", []),
        (r"\$x$ and $x\$", []),
        ("`$x$` and ``\\(x\\)``", []),
        ("$a `b$` c$", []),
        ("`a $b` c$", []),
        ("```\n$x$\n```\n\n    $$x$$", []),
        ("$x", []),
        (r"\(x and \[x\) or $x\]", []),
        (r"\\(x\\)", []),
        ("$$$x$$$", []),
        ("$$x$ and $x$$", []),
        ("$$ $$ and \\( \\)", []),
        ("$$\nx\n\ny\n$$", []),
        ("<math><mi>x</mi></math>", []),
    ],
)  # fmt: skip
def test_what_is_a_formula(text: str, found: list[str]) -> None:
    html = render(text)
    assert_inert(html)
    assert formulas(html) == found
    assert finished(text, by_character(text)) == html


def test_what_stands_by_itself_is_shown_by_itself() -> None:
    assert 'display="block"' not in render(r"$x$ and \(y\)")
    assert render(r"$$x$$ and \[y\]").count('<math display="block"') == 2


@pytest.mark.parametrize(
    ("opening", "closing", "most"),
    [
        ("$", "$", MAX_CHARS_IN_LINE),
        ("$$", "$$", MAX_CHARS),
        ("\\(", "\\)", MAX_CHARS),
        ("\\[", "\\]", MAX_CHARS),
    ],
)
def test_a_formula_is_no_longer_than_the_limit(
    opening: str, closing: str, most: int
) -> None:
    assert "<math" in render(opening + "x" * most + closing)
    assert "<math" not in render(opening + "x" * (most + 1) + closing)


@pytest.mark.parametrize(
    ("latex", "mathml"),
    [
        (r"\frac12", "<mfrac><mn>1</mn><mn>2</mn></mfrac>"),
        ("x^12", "<mrow><msup><mi>x</mi><mn>1</mn></msup><mn>2</mn></mrow>"),
        ("x_i^2", "<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>"),
        (r"\sqrt[3]{x}", "<mroot><mi>x</mi><mn>3</mn></mroot>"),
        (r"\mathbb{R}", "<mi>ℝ</mi>"),
        (r"\mathbf{v}\mathcal{L}", "<mrow><mi>𝐯</mi><mi>ℒ</mi></mrow>"),
        (r"\mathrm{d}\mathrm{kg}", '<mrow><mi mathvariant="normal">d</mi><mi>kg</mi></mrow>'),
        (r"\text{if } x", "<mrow><mtext>if\u00a0</mtext><mi>x</mi></mrow>"),
        (r"\not= \not\in", "<mrow><mo>≠</mo><mo>∉</mo></mrow>"),
        (r"\varphi\phi\epsilon", "<mrow><mi>φ</mi><mi>ϕ</mi><mi>ϵ</mi></mrow>"),
        (r"\leq\infty\to", "<mrow><mo>≤</mo><mi>∞</mi><mo>→</mo></mrow>"),
        (r"{}^2", "<msup><mrow></mrow><mn>2</mn></msup>"),
        ("a = -b", '<mrow><mi>a</mi><mo>=</mo><mo form="prefix">−</mo><mi>b</mi></mrow>'),
        (r"\bmod", '<mo lspace="0.2222em" rspace="0.2222em">mod</mo>'),
        (r"\boxed{42}", '<mrow class="polly-boxed"><mn>42</mn></mrow>'),
        (r"50\%", "<mrow><mn>50</mn><mi>%</mi></mrow>"),
    ],
)  # fmt: skip
def test_latex_becomes_mathml(latex: str, mathml: str) -> None:
    assert inside(latex) == mathml


@pytest.mark.parametrize(
    ("latex", "read"),
    [
        (r"x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}", "x=−b±b2−4ac2a"),
        (r"\int_0^\infty e^{-x^2}\,dx = \frac{\sqrt{\pi}}{2}", "∫0∞e−x2dx=π2"),
        (r"\sum\nolimits_{i=1}^{n} i", "∑i=1ni"),
        (r"\lim_{x \to 0} \frac{\sin x}{x} = 1", "limx→0sinxx=1"),
        (r"\left.\frac{dy}{dx}\right|_{x=0}", "dydx|x=0"),
        (r"\left< a \middle| b \right>", "⟨a|b⟩"),
        (r"f''(x)'", "f′′(x)′"),
        (r"\begin{cases} x & \text{if } x \ge 0 \\ -x \end{cases}", "{xif\u00a0x≥0−x"),
        (r"\begin{pmatrix} a & b \\[2pt] c & d \end{pmatrix}", "(abcd)"),
        (r"\begin{array}{c|r} a & b \end{array}", "ab"),
        (r"\begin{gather*} a \\ b \end{gather*}", "ab"),
        (r"\underbrace{a+b}_{n} \overset{!}{=} \underset{x}{c}", "a+b⏟n=!cx"),
        (r"\hat{y} \widetilde{ab} \overline{AB}", "y^ab~AB‾"),
        (r"\binom{n}{k} \pmod{p} \operatorname{rank}(A)", "(nk)(modp)rank(A)"),
        (r"\operatorname*{argmin}_x \argmax_y", "argminxarg\u00a0maxy"),
        (r"\xrightarrow[a]{b} \bigl( x \Bigr]", "→ab(x]"),
        (r"\dfrac{1}{2} \tfrac12 \displaystyle \sum", "1212∑"),
        (r"\textcolor{red}{x} \boxed{y} \tag{1}", "xy(1)"),
        (r"\sum_{\substack{i \\ j}} x", "∑ijx"),
        ("变量 x", "变量x"),
        (r"a &= b \\ &= c \\", "a=b=c"),
        (r"\lVert x \rVert \cdots \Vert \langle", "‖x‖⋯‖⟨"),
        (r"90^\circ \prime", "90∘′"),
        (r"\mathbf{x_1 \alpha \Sigma} \mathsf{A3}", "𝐱𝟏𝛂𝚺𝖠𝟥"),
    ],
)  # fmt: skip
def test_all_of_a_formula_is_read_in_its_order(latex: str, read: str) -> None:
    html = to_mathml(latex, display=True)
    assert_inert(html)
    assert formulas(html) == [read]


@pytest.mark.parametrize(
    "latex",
    [
        "{", "}", "{{x}", "x}", "x^", "x_1_2", "x^1^2", r"\frac{1}", r"\left(x",
        r"x\right)", r"\left x\right", r"\begin{x}a\end{x}", r"\begin{matrix}a",
        r"\begin{matrix}a\end{pmatrix}", r"\text{a", r"\text{\b}", r"\unknown{x}",
        r"\href{javascript:alert(1)}{x}", r"\style{color:red}{x}", r"\class{a}{x}",
        r"\unicode{x3c}", r"\cssId{a}{x}", r"\html{x}", r"\newcommand{\a}{\a\a}\a",
        r"\def\a{\a\a}\a", r"\require{x}", r"\input{/etc/passwd}", r"\not", "\\",
        r"\rlm", r"\zwj", r"\not{", r"\big x", "\u200bx", "\ue000",
        "{" * 30 + "x" + "}" * 30, r"\sqrt" * 300 + "x", "x^{" * 50 + "x" + "}" * 50,
        r"\displaystyle" * 60, r"\left(" * 40 + r"\right)" * 40, "&" * 900,
        r"\begin{matrix}" * 30,
    ],
)  # fmt: skip
def test_what_we_do_not_know_is_shown_as_it_was_written(latex: str) -> None:
    with pytest.raises(Unreadable):
        to_mathml(latex, display=False)
    text = rf"\({latex}\)" if len(latex) < MAX_CHARS and latex != "\\" else "x"
    html = render(text)
    assert_inert(html)
    assert formulas(html) == []
    assert text_of(html).strip() == text


@pytest.mark.parametrize(
    "text",
    [
        "$<img src=x onerror=alert(1)>$",
        r"$\text{</math><script>alert(1)</script>}$",
        r"$\text{<b hx-get=/x>}$ $\mathrm{<style>}$",
        r'$x"onload="alert(1)$ $\text{"><svg/onload=x>}$',
        r"$\operatorname{<iframe>}$ $\tag{<form>}$ $\tag{&lt;form&gt;}$",
        r"$\text{<annotation-xml encoding='text/html'><script>}$",
        r"$\begin{<b>}x\end{<b>}$ $\left<script\right>$ $\not<script$",
        r"$\lt script\gt \quot \amp lt;$",
        '<code class="polly-formula">$x$</code>',
        '`<code class="polly-formula">x</code>`',
        "$<code class='polly-formula'>x</code>$",
        "```polly-formula\nx\n```",
        "$" * 3_000,
        "$a " * 1_000,
        r"\(" * 1_000 + r"\)" * 1_000,
        r"\[ x" * 500,
        "$" + "{" * 300 + "}" * 300 + "$",
        r"$$\frac" * 300 + "$$",
    ],
)
def test_hostile_formula_is_inert_at_every_step(text: str) -> None:
    assert_inert(render(text))
    for _, page in watched(text, at_random(text, 1, 40)):
        assert_inert(page.html.replace(f' id="polly-open-{KEY}"', ""))
    assert finished(text, at_random(text, 2, 40)) == render(text)


LATEX = [
    *(f"\\{name}" for name in sorted(COMMANDS)), "{", "}", "[", "]", "^", "_", "&", "'",
    "\\\\", "x", "12", "-", "(", ")", "|", ".", "<", '"', "\\{", "\\alpha", "\\sum",
    "\\end", "\\right", "{x}", "{a}", "{matrix}", "\\begin{cases}", "\\end{cases}", " ",
]  # fmt: skip


@hypothesis_settings(max_examples=300, derandomize=True, deadline=None)
@given(st.lists(st.sampled_from(LATEX), max_size=15).map("".join))
def test_any_formula_is_ours_or_unreadable(latex: str) -> None:
    try:
        html = to_mathml(latex, display=False)
    except Unreadable:
        return
    assert_inert(html)
    assert len(html) <= 20 * len(latex) + 100


@given(st.text(max_size=30))
def test_any_text_is_written_safely(text: str) -> None:
    assert_inert(render(f"$$x{text}$$ ${text}$ \\({text}\\)"))


def test_other_elements_cannot_be_written() -> None:
    with pytest.raises(ValueError, match=r"\A\Z"):
        element("script")
    with pytest.raises(ValueError, match=r"\A\Z"):
        element("mi", href="javascript:x")


# While it is written.


def test_open_formula_is_text_and_the_page_before_it_stays() -> None:
    text = r"One. Two. \(\frac{1}{2}\) three. Four"
    pages = [page.html for _, page in watched(text, by_character(text))]
    assert sum("<math" in page for page in pages) == len(r" three. Four") + 1
    numbers = [page.count("<math") for page in pages]
    assert all(before <= after for before, after in pairwise(numbers))


@pytest.mark.parametrize(
    ("text", "finished_part"),
    [
        ("A $x. y$ b. C", "A <math>"),
        ("A\n$5. B c. D", ""),
        ("A $5. B c. D", "A "),
        ("A $5. B $6. C", "A $5. B "),
        (r"A \(x. B c. D", ""),
        ("A $$x. B c. D", "A "),
        ("A $$x. B $c. D", "A "),
        ("A $$x. B $$ c. D", "A <math"),
        ("A。$5。B。$6", "A。"),
        ("A $5 is $ b. C", "A $5 is $ b. "),
        (r"A \$5. B", r"A $5. "),
    ],
)
def test_no_sentence_is_finished_inside_a_formula(
    text: str, finished_part: str
) -> None:
    _, page = shown(text, by_character(text))
    start, *_ = open_piece(page.tail)
    done = page.tail[:start].removeprefix("<p>")
    assert done.startswith(finished_part)
    assert "<" in finished_part or done.strip() == finished_part.strip()


def test_lone_dollar_is_no_formula_after_the_limit() -> None:
    text = "A\n$5. " + "B c. " * (MAX_CHARS_IN_LINE) + "D"
    _, page = shown(text, by_character(text))
    assert page.tail.startswith("<p>A\n$5. B c. ")
    assert finished(text, by_character(text)) == render(text)


def test_formulas_are_sent_once() -> None:
    unit = r"The value of $x_1$ is \(\frac{a}{b}\), and so $y^2 = z$ holds. "
    text = unit * 60
    stream = MarkdownStream(KEY)
    sent = sum(stream.feed(text[:end]).size for end in range(40, len(text), 40))
    assert sent < 3 * len(render(text))


LINES = [
    "$$", "\\[", "\\]", "$$a", "b$$", "x. y", "- a", "+ b", "=", "---", "* z", "> q",
    "# h", "```", "", "1. i", "$$ c", "|", "  - d", "  $$", "> $$", "- $$", "    e",
]  # fmt: skip


@hypothesis_settings(max_examples=300, derandomize=True, deadline=None)
@given(st.lists(st.sampled_from(LINES), min_size=3, max_size=9).map("\n".join))
def test_lines_of_formulas_are_the_same_while_they_are_written(text: str) -> None:
    assert finished(text, by_character(text)) == render(text)
