"""How large a picture may be: checked before anything is decoded."""

from dataclasses import dataclass

from leukemia import settings
from leukemia.errors import ImageError


@dataclass(frozen=True)
class Limits:
    """The most that a file and its picture may have.

    Attributes
    ----------
    file_bytes : int
        Bytes of the file.
    side : int
        Pixels of the longer side.
    pixels : int
        Pixels in all.
    """

    file_bytes: int
    side: int
    pixels: int

    @property
    def too_many_bytes(self) -> str:
        """What a file is refused with."""
        return f"The file is larger than {self.file_bytes // 1024**2} MB."

    @property
    def too_many_pixels(self) -> str:
        """What a picture is refused with."""
        return (
            f"The image is too large: the limit is {self.side:,} pixels per side and "
            f"{self.pixels // 10**6:,} megapixels."
        )

    def check(self, width: int, height: int) -> None:
        """Refuse a picture that is over a limit.

        Raises
        ------
        ImageError
        """
        if max(width, height) > self.side or width * height > self.pixels:
            raise ImageError(self.too_many_pixels)


CELL = Limits(settings.MAX_FILE_BYTES, settings.MAX_SIDE, settings.MAX_PIXELS)
FIELD = Limits(settings.MAX_FIELD_BYTES, settings.MAX_FIELD_SIDE, settings.MAX_FIELD_PIXELS)
