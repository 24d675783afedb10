import os

import pytest

from leukemia.markdown import plain, without_pictures


def test_text_stays_text_and_can_be_sent():
    assert plain("*a* `b` :cat: $x$") == r"\*a\* \`b\` \:cat\: \$x\$"
    plain(os.fsdecode(b"M\xfcller.png")).encode()


@pytest.mark.parametrize(
    "picture",
    [
        "![alt](http://192.0.2.1/x.png)",
        "![alt][one]\n\n[one]: http://192.0.2.1/x.png",
        "[![alt](http://192.0.2.1/x.png)](http://192.0.2.1)",
        "\\\\![alt](//192.0.2.1/x.png)",
        "![a ![b](http://192.0.2.1/b.png) c](http://192.0.2.1/c.png)",
        "| ![alt](http://192.0.2.1/x.png) |",
    ],
)
def test_markdown_has_no_pictures_and_is_else_as_it_was(picture):
    from markdown_it import MarkdownIt

    render = MarkdownIt("commonmark").render
    assert "<img" in render(picture)
    text = f"# A card\n\n- **bold**! [a link](https://example.org)\n\n{picture}\n"
    assert "<img" not in render(without_pictures(text))
    assert render(text).split("</ul>")[0] == render(without_pictures(text)).split("</ul>")[0]
