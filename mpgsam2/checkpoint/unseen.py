"""Characters that are not seen, such as the selectors of an emoji's variant: Unicode's Default_Ignorable_Code_Point.

The standard library does not tell which they are.
"""

from __future__ import annotations

import re

UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""One of them."""


def without_unseen(text: str) -> str:
    """Return the text without them; the zero-width space becomes a blank, since it is a break between words."""
    return UNSEEN.sub("", text.replace("\u200b", " "))
