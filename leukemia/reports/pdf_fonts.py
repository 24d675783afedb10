"""Which font has which letter of a PDF: DejaVu Sans, and Noto Sans CJK for Chinese, Japanese and Korean.

Both are embedded, so that a page looks the same on every machine. Of Noto only the letters that a document
needs are taken, with their outlines changed from CFF to TrueType: the form that reportlab can embed.
"""

import hashlib
import importlib.util
import io
import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

import noto_cjk_sans_jp_regular
from fontTools import subset
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont as OpenType
from fontTools.ttLib import newTable
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

PLAIN, BOLD = "Leukemia", "Leukemia-Bold"
# Tables without which a line of single letters is drawn as well.
UNUSED = ("GSUB", "GPOS", "GDEF", "BASE", "VORG", "vhea", "vmtx")
# Units of 1/1000 em by which a curve may differ from the original.
TOLERANCE = 1.0
UNSHOWN = (
    "Some letters here have no sign in this PDF and are written as their Unicode numbers (such as \\u0915). "
    "The HTML report shows them as they are."
)
FROM_THE_RIGHT = (
    "Text that is written from right to left stands here letter by letter from the left. The HTML report "
    "shows it as it is."
)


class Letters:
    """The fonts for the letters of one document.

    Parameters
    ----------
    text : str
        All that it says.

    Attributes
    ----------
    notes : list of str
        What is not shown as it is written, in sentences; empty where all is.
    """

    def __init__(self, text: str) -> None:
        own = _own()
        foreign = frozenset(letter for letter in text if ord(letter) not in own)
        self._eastern = foreign & _eastern_letters() if foreign else frozenset()
        self._eastern_font = _embedded(self._eastern) if self._eastern else ""
        turned = any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text)
        self.notes = [UNSHOWN] * bool(foreign - self._eastern) + [FROM_THE_RIGHT] * turned

    def runs(self, text: str) -> Iterator[tuple[str, str]]:
        """Text in pieces of one font each: its name, empty for the document's own, and what it shows."""
        for eastern, letters in groupby(text, key=lambda letter: letter in self._eastern):
            shown = "".join(letters)
            yield (self._eastern_font, shown) if eastern else ("", _known(shown))

    def markup(self, text: str) -> str:
        """Plain text as reportlab's paragraphs take it."""
        return "".join(
            f'<font name="{font}">{escape(shown)}</font>' if font else escape(shown)
            for font, shown in self.runs(text)
        )


@cache
def _own() -> frozenset[int]:
    """Register DejaVu Sans, which Matplotlib brings; the letters that it has."""
    folder = Path(importlib.util.find_spec("matplotlib").origin).parent / "mpl-data" / "fonts" / "ttf"
    for name, file in ((PLAIN, "DejaVuSans.ttf"), (BOLD, "DejaVuSans-Bold.ttf")):
        pdfmetrics.registerFont(TTFont(name, str(folder / file)))
    faces = [pdfmetrics.getFont(name).face.charToGlyph for name in (PLAIN, BOLD)]
    return frozenset(faces[0].keys() & faces[1].keys())


def _known(text: str) -> str:
    """Text with letters that DejaVu does not have written as their numbers."""
    own = _own()
    return "".join(one if ord(one) in own else one.encode("unicode_escape").decode("ascii") for one in text)


@cache
def _eastern_letters() -> frozenset[str]:
    with OpenType(str(noto_cjk_sans_jp_regular.FONT_PATH), lazy=True) as font:
        return frozenset(map(chr, font.getBestCmap()))


@lru_cache(maxsize=32)
def _embedded(letters: frozenset[str]) -> str:
    """Register a font of some letters of Noto Sans CJK; returns its name."""
    text = "".join(sorted(letters))
    name = f"Leukemia-East-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    with OpenType(str(noto_cjk_sans_jp_regular.FONT_PATH), lazy=True) as font:
        options = subset.Options(layout_features=[], hinting=False, name_IDs=[1, 2, 4, 6])
        options.drop_tables += UNUSED
        chosen = subset.Subsetter(options)
        chosen.populate(text=text)
        chosen.subset(font)
        _to_truetype(font)
        # reportlab takes fonts of one internal name for one font.
        for record in font["name"].names:
            record.string = name
        out = io.BytesIO()
        font.save(out)
    out.seek(0)
    pdfmetrics.registerFont(TTFont(name, out))
    return name


def _to_truetype(font: OpenType) -> None:
    """Change a font's outlines from CFF to TrueType."""
    glyphs, order = font.getGlyphSet(), font.getGlyphOrder()
    table = font["glyf"] = newTable("glyf")
    table.glyphOrder, table.glyphs = order, {}
    for name in order:
        pen = TTGlyphPen(None)
        glyphs[name].draw(Cu2QuPen(pen, TOLERANCE, reverse_direction=True))
        table.glyphs[name] = glyph = pen.glyph()
        glyph.recalcBounds(table)
        font["hmtx"][name] = (font["hmtx"][name][0], getattr(glyph, "xMin", 0))
    font["loca"] = newTable("loca")
    del font["CFF "]
    font["maxp"].tableVersion = 0x00010000
    limits = ("Zones", "TwilightPoints", "Storage", "FunctionDefs", "InstructionDefs", "StackElements")
    for limit in (*limits, "SizeOfInstructions", "ComponentElements"):
        setattr(font["maxp"], f"max{limit}", int(limit == "Zones"))
    post = font["post"]
    post.formatType, post.extraNames, post.mapping, post.glyphOrder = 2.0, [], {}, order
    font.sfntVersion = "\0\1\0\0"
