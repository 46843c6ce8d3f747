"""Formulas as a browser lays them out: streamed and stored, in light and dark."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from polly_htmx.models import SmartConversation
from tests.browser.conftest import Tab
from tests.browser.test_accessibility import violations
from tests.browser.test_chat import last_reply
from tests.live import Site, scripted
from tests.patience import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.live]

WIDE = " + ".join(f"x_{{{number}}}" for number in range(40))
ANSWER = rf"""
The roots of $ax^2 + bx + c$ cost $5, and $10 with a stand. So they are

$$
x = \frac{{-b \pm \sqrt{{b^2 - 4ac}}}}{{2a}}
$$

- In a list \(\alpha \in \mathbb{{R}}\) and \[ \sum_{{i=1}}^n i = \frac{{n(n+1)}}{{2}} \]
- Hostile $\text{{</math><img src=x onerror="window.hacked=1">}}$ $\href{{javascript:hacked=1}}{{x}}$

\[
\begin{{aligned}}
  f(x) &= x^2 + 1 \\
  f'(x) + \cdots &= \begin{{pmatrix}} 1 & 0 \\ 0 & 1 \end{{pmatrix}}
\end{{aligned}}
\]

| a | b |
|---|---|
| $\hat{{y}}$ | $\begin{{cases}} 1 & x > 0 \\ -10 & \text{{else}} \end{{cases}}$ |

$${WIDE}$$

The end.
"""
FORMULAS = ".polly-message__content math"
ALIGNED = """() => {
  const cells = document.querySelectorAll('mtable[displaystyle] > mtr > :first-child > *');
  return [...cells].map(cell => Math.round(cell.getBoundingClientRect().right));
}"""
HEIGHTS = """formulas => formulas.map(
  formula => formula.getBoundingClientRect().height
    / parseFloat(getComputedStyle(formula).fontSize))"""


@pytest.mark.parametrize("version", [2, 4])
def test_formulas_are_laid_out_when_streamed_and_when_loaded(
    start_site: Callable[..., Site],
    open_tab: Callable[..., Tab],
    somebody: User,
    chat: SmartConversation,
    version: int,
) -> None:
    site = start_site(HTMX_VERSION=version, **scripted(text=ANSWER, pace=0.001))
    tab = open_tab(site, somebody, viewport={"width": 320, "height": 700})
    tab.open_chat(chat)
    tab.send("Hello")
    expect(last_reply(tab)).to_have_attribute(
        "data-status", "complete", timeout=PATIENCE * 1000
    )
    formulas = tab.page.locator(FORMULAS)
    expect(formulas).to_have_count(9)
    heights = formulas.evaluate_all(HEIGHTS)
    assert heights[0] < 1.8, "one line"
    assert heights[1] > 2, "a fraction"
    assert heights[3] > 2, "limits above and below the sum"
    assert heights[5] > 2.5, "two lines, and a matrix in one of them"
    first, second = tab.page.evaluate(ALIGNED)
    assert first == second, "two lines meet at their equals signs"
    tab.assert_equals_fresh(chat)
    assert tab.page.evaluate("window.hacked") is None
    assert tab.page.evaluate("document.documentElement.scrollWidth") <= 320
    assert not violations(tab)
    tab.assert_clean()
