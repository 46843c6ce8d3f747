"""Code and plain text that grow by lines."""

from __future__ import annotations

import re

from django.utils.html import format_html
from django.utils.safestring import SafeString

from polly_htmx.markdown.growth import Frame, Growth, certain, cut
from polly_htmx.markdown.renderer import to_html
from polly_htmx.markdown.sanitiser import sanitise

_INDENT = 4
# A line that never ends is finished in pieces of this length.
_LONG = 200


class LineGrowth(Growth):
    """Text without markup: each line is finished when it ends."""

    kind = "line"
    _inside_line = False

    def _take_lines(self, source: str) -> int:
        """Finish the whole lines of the source, and most of a long last one."""
        end = source.rfind("\n") + 1
        last = source[end:]
        end += len(last) - len(last) % _LONG
        if end:
            self.finished.append(_shown(self._text(source[:end])))
            self._inside_line = source[end - 1] != "\n"
        self.open = _shown(self._text(source[end:]))
        return end

    def _text(self, source: str) -> str:
        """Return what is shown of the source."""
        return source


class PlainGrowth(LineGrowth):
    """What is shown as it was written."""

    @property
    def frame(self) -> Frame:
        """A paragraph."""
        before, after = SafeString('<p class="polly-plain">'), SafeString("</p>\n")
        return Frame(before=before, element="span", after=after)

    def take(self, source: str) -> int:
        """Finish what can be finished of the source."""
        return self._take_lines(source)


class CodeGrowth(LineGrowth):
    """Code, which gets its colours when it has ended."""

    @property
    def frame(self) -> Frame:
        """What the final block has around its code."""
        token = self.block.tokens[0].copy(content="", meta={"plain": True})
        html = sanitise(to_html([token]))
        end = html.rindex("</code></pre>")
        return Frame(
            before=cut(html, 0, end), element="span", after=cut(html, end, len(html))
        )


class FenceGrowth(CodeGrowth):
    """Code between fences, of which the second has not come."""

    _begun = False

    def take(self, source: str) -> int | None:
        """Finish the lines up to the last; None if one of them is a fence."""
        head = 0 if self._begun else source.find("\n") + 1
        if not self._begun and not head:
            return None
        self._begun = True
        body = source[head:]
        lines = body.split("\n")
        ends = self._fence(more=False)
        if any(map(ends.fullmatch, lines[self._inside_line : -1])):
            return None
        hidden = 0
        if self._fence(more=True).fullmatch(lines[-1]) and not self._continues(lines):
            hidden = len(lines[-1])
        return head + self._take_lines(body[: len(body) - hidden])

    def _continues(self, lines: list[str]) -> bool:
        """Return whether the last line has its beginning in a finished piece."""
        return self._inside_line and len(lines) == 1

    def _fence(self, *, more: bool) -> re.Pattern[str]:
        """Return the pattern of a line that ends the code, or may come to do so."""
        markup = self.block.tokens[0].markup
        least = 1 if more else len(markup)
        return re.compile(rf" {{0,3}}{re.escape(markup[0])}{{{least},}}[ \t]*")

    def _text(self, source: str) -> str:
        """Return the lines without the indent that the first fence has."""
        first = self.block.source
        indent = len(first) - len(first.lstrip(" "))
        if not indent:
            return source
        pattern = rf"(?<=\n) {{1,{indent}}}" + (
            "" if self._inside_line else rf"|\A {{1,{indent}}}"
        )
        return re.sub(pattern, "", source)


class IndentedGrowth(CodeGrowth):
    """Code that is only indented."""

    def take(self, source: str) -> int | None:
        """Finish the lines up to the last; None if one of them is not indented."""
        shown = certain(source, continued=True) if not self._inside_line else source
        lines = shown.split("\n")[self._inside_line :]
        if any(line.strip() and not _is_indented(line) for line in lines):
            return None
        # Blank lines belong to the code only if more of it comes.
        kept = shown.rstrip("\n \t")
        line_end = shown.find("\n", len(kept))
        end = len(kept) if line_end < 0 else line_end + 1
        return self._take_lines(shown[:end] if kept else "")

    def _text(self, source: str) -> str:
        """Return the lines without their indent."""
        pattern = r"(?<=\n)(?: {4}| {0,3}\t)" + (
            "" if self._inside_line else r"|\A(?: {4}| {0,3}\t)"
        )
        return re.sub(pattern, "", source)


def _is_indented(line: str) -> bool:
    expanded = line.expandtabs(_INDENT)
    return len(expanded) - len(expanded.lstrip(" ")) >= _INDENT


def _shown(text: str) -> SafeString:
    # No markup in it, so no sanitiser: this is what is left when that one fails.
    return format_html("{}", text)
