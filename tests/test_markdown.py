import os

from leukemia.markdown import plain


def test_text_stays_text_and_can_be_sent():
    assert plain("*a* `b` :cat: $x$") == r"\*a\* \`b\` \:cat\: \$x\$"
    plain(os.fsdecode(b"M\xfcller.png")).encode()
