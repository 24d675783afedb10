"""DICOM pictures come in as any other: pixels and scale, nothing of the patient; oddities are sentences."""

import io
import logging
import struct

import numpy as np
import pydicom
import pytest
from imagecodecs import jpeg8_encode
from PIL import Image
from pydicom.pixels import convert_color_space
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.uid import RLELossless

from leukemia.errors import ImageError
from leukemia.imaging import dicom, memory, reader
from leukemia.imaging.limits import Limits
from tests.support.dicom_factory import NAME, PICTURE, compressed, made

# 16 × 16 pixels of one colour by opj_compress, as YCbCr with half as many pixels of colour across.
COLOUR, COARSE = (
    (200, 40, 160),
    bytes.fromhex(
        "ff4fff51002f000000000010000000100000000000000000000000100000001000000000000000000003070101070201"
        "070201ff52000c00000001000004040001ff5c00044040ff640005000120ff90000a00000000004c0001ff93c3e72211"
        "5054afdf47b2b70000000061212fff7fc7d41c14005caf2e6a26e00000000c2425cfb45814005caf2e61d6e00000000c"
        "2425fb5888000018484bffd9"
    ),
)
DEFLATED = "1.2.840.10008.1.2.1.99"


def saved(kind, pixels=PICTURE, **options):
    out = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(out, kind, **options)
    return out.getvalue()


def exact_jpeg_2000():
    return saved("JPEG2000", no_jp2=True)


def run_lengths():
    return RLELosslessEncoder.encode(
        PICTURE,
        rows=PICTURE.shape[0],
        columns=PICTURE.shape[1],
        samples_per_pixel=3,
        bits_allocated=8,
        bits_stored=8,
        pixel_representation=0,
        photometric_interpretation="RGB",
        planar_configuration=0,
        number_of_frames=1,
    )


def test_an_uncompressed_picture_keeps_every_pixel_and_its_scale():
    opened = reader.open_picture(made(PixelSpacing=[0.00005, 0.00005]))
    assert (opened.pixels == PICTURE).all()
    assert opened.pixel_size == pytest.approx(0.05)
    assert (opened.loss, opened.note) == (None, "")
    assert dicom.pixels(made()) == 450 * 450
    assert memory.needed(made()) == 450 * 450 * memory.PER_PIXEL


@pytest.mark.parametrize("spacing", [None, [0.00005, 0.00009], [0.5, 0.5], [0, 0]])
def test_a_spacing_that_no_microscope_has_tells_no_scale(spacing):
    tags = {"PixelSpacing": spacing} if spacing else {}
    assert reader.open_picture(made(**tags)).pixel_size is None


def test_implicit_syntax_and_planes_of_their_own_are_read():
    planes = np.ascontiguousarray(PICTURE.transpose(2, 0, 1))
    data = made(syntax="1.2.840.10008.1.2", data=planes.tobytes(), PlanarConfiguration=1)
    assert (reader.decode(data) == PICTURE).all()


@pytest.mark.parametrize(
    ("data", "exact", "kind"),
    [
        (lambda: compressed(RLELossless, run_lengths()), True, ""),
        (
            lambda: compressed(
                dicom.JPEG_2000, saved("JPEG2000", no_jp2=True), PhotometricInterpretation="YBR_RCT"
            ),
            True,
            "",
        ),
        (
            lambda: compressed(
                dicom.JPEG_2000_LOSSY,
                saved("JPEG2000", no_jp2=True, irreversible=True, quality_layers=[5]),
                PhotometricInterpretation="YBR_ICT",
            ),
            False,
            "JPEG 2000",
        ),
        (
            lambda: compressed(
                dicom.JPEG, saved("JPEG", quality=90), PhotometricInterpretation="YBR_FULL_422"
            ),
            False,
            "JPEG",
        ),
    ],
)
def test_compressed_pictures_are_read_and_say_what_they_lost(data, exact, kind):
    opened = reader.open_picture(data())
    apart = np.abs(opened.pixels.astype(int) - PICTURE)
    assert apart.mean() < (1e-9 if exact else 3)
    assert (opened.loss.kind if opened.loss else "") == kind


def test_a_jpeg_whose_channels_are_red_green_and_blue_keeps_them():
    frame = jpeg8_encode(PICTURE, level=95, colorspace="RGB", outcolorspace="RGB")
    opened = reader.open_picture(compressed(dicom.JPEG, frame))
    assert np.abs(opened.pixels.astype(int) - PICTURE).mean() < 3


@pytest.mark.parametrize("photometric", ["YBR_FULL", "YBR_FULL_422"])
def test_light_and_colour_apart_become_red_green_and_blue(photometric):
    light = convert_color_space(PICTURE, "RGB", "YBR_FULL")
    if photometric == "YBR_FULL_422":
        pairs = np.concatenate([light[:, ::2, :1], light[:, 1::2, :1], light[:, ::2, 1:]], axis=2)
        data = made(data=pairs.tobytes(), PhotometricInterpretation=photometric)
    else:
        data = made(light, PhotometricInterpretation=photometric)
    assert np.abs(reader.decode(data).astype(int) - PICTURE).mean() < 3


def in_ycc():
    """The picture's light and colour as three components, by no name."""
    return np.asarray(Image.fromarray(PICTURE).convert("YCbCr"))


@pytest.mark.parametrize("photometric", ["YBR_FULL", "YBR_FULL_422"])
@pytest.mark.parametrize(
    "frame",
    [
        lambda: saved("JPEG2000", in_ycc(), no_jp2=True, mct=0),
        lambda: saved("JPEG2000", in_ycc(), mct=0),
        # Pillow has made them RGB.
        lambda: saved("JPEG2000", no_jp2=True, mct=1),
        lambda: saved("JPEG2000", Image.fromarray(PICTURE).convert("YCbCr"), mct=0),
    ],
    ids=["plain", "in a file of RGB", "transformed", "in a file of YCbCr"],
)
def test_a_jpeg_2000_keeps_its_colours_with_the_transform_and_without(photometric, frame):
    data = compressed(dicom.JPEG_2000, frame(), PhotometricInterpretation=photometric)
    assert np.abs(reader.decode(data).astype(int) - PICTURE).mean() < 1


def test_a_jpeg_2000_of_red_green_and_blue_without_the_transform_keeps_them():
    data = compressed(dicom.JPEG_2000, saved("JPEG2000", no_jp2=True, mct=0))
    assert (reader.decode(data) == PICTURE).all()


def test_a_jpeg_2000_with_fewer_pixels_of_colour_is_converted_once():
    data = compressed(dicom.JPEG_2000, COARSE, PhotometricInterpretation="YBR_FULL_422", Rows=16, Columns=16)
    pixels = dicom.read(data, Limits(10**9, 10**9, 10**9)).pixels
    assert np.abs(pixels.astype(int) - COLOUR).max() <= 2


def with_preamble(data, syntax):
    """A file whose free first bytes look like the tag that names this transfer syntax."""
    forged = b"\x02\x00\x10\x00UI" + struct.pack("<H", len(syntax)) + syntax.encode()
    return forged.ljust(dicom.PREAMBLE, b"\0") + data[dicom.PREAMBLE :]


def test_a_deflated_file_is_refused_before_it_grows_whatever_its_preamble_says(monkeypatch):
    deflated = made(syntax=DEFLATED)
    monkeypatch.setattr(
        pydicom.filereader.zlib, "decompress", lambda *_, **__: pytest.fail("it was inflated")
    )
    for data in (deflated, with_preamble(deflated, dicom.PLAIN[1])):
        for ask in (reader.open_picture, dicom.pixels):
            with pytest.raises(ImageError) as refused:
                ask(data)
            assert str(refused.value) == dicom.UNREAD_SYNTAX
        assert memory.needed(data) == 0


def test_what_stands_in_the_preamble_changes_nothing():
    assert (reader.decode(with_preamble(made(), DEFLATED)) == PICTURE).all()


def test_a_transfer_syntax_that_is_missing_is_refused_and_one_that_is_no_uid_is_damage():
    beginning = made()[: dicom.PREAMBLE + len(dicom.MAGIC)]
    for rest, said in ((b"", dicom.UNREAD_SYNTAX), (b"\x02\0\x10\0UL\3\x001.2", dicom.DAMAGED)):
        with pytest.raises(ImageError) as refused:
            dicom.pixels(beginning + rest)
        assert str(refused.value) == said


def test_a_lossy_history_is_told():
    assert str(reader.open_picture(made(LossyImageCompression="01")).loss) == "lossy DICOM"


def test_nothing_of_the_patient_is_read_told_or_logged(caplog, capfd):
    caplog.set_level(logging.DEBUG)
    data = made(BurnedInAnnotation="YES")
    header = dicom._header(data)
    assert "PatientName" not in header and "PatientID" not in header
    opened = reader.open_picture(data)
    broken = [data[: len(data) - 90_000], data.replace(b"19500101", b"Mai 1950"), data[:700]]
    sentences = [opened.note]
    for one in broken:
        try:
            sentences.append(reader.open_picture(one).note)
        except ImageError as error:
            sentences.append(str(error))
    told = " ".join((*sentences, caplog.text, *capfd.readouterr()))
    assert "Mustermann" not in told and "4711" not in told and "1950" not in told
    assert dicom.BURNED_IN in opened.note


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (lambda: made(SOPClassUID="1.2.840.10008.5.1.4.1.1.2"), "no microscopic"),
        (lambda: made(SOPClassUID=dicom.WHOLE_SLIDE), "whole slide"),
        (lambda: made(NumberOfFrames=3), "contains 3 images"),
        (lambda: made(SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2"), "no colour"),
        (lambda: made(BitsAllocated=16, BitsStored=16, HighBit=15), "8 bits"),
        (lambda: compressed("1.2.840.10008.1.2.4.80", b"\0" * 100), "JPEG 2000 or RLE"),
        (lambda: made(syntax=DEFLATED), "JPEG 2000 or RLE"),
        (lambda: made(data=b"\0" * 100), "damaged"),
        (lambda: made(Rows=60_000, Columns=60_000), "too large"),
        (lambda: made()[:400], "damaged|no microscopic"),
        (lambda: compressed(RLELossless, run_lengths()[:300]), "damaged"),
        (lambda: compressed(dicom.JPEG, b"\xff\xd8nothing"), "damaged|Not a readable"),
        (lambda: compressed(dicom.JPEG, saved("JPEG"), Rows=100, Columns=100), "damaged"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(data, said):
    with pytest.raises(ImageError, match=said):
        reader.open_picture(data())


def test_runs_that_grow_beyond_the_picture_are_cut_off():
    # Each pair of bytes becomes 128: a plane of 12 megabytes where the header says 100 pixels.
    plane = b"\x81\x07" * 100_000
    head = struct.pack("<16I", 3, 64, 64 + len(plane), 64 + 2 * len(plane), *[0] * 12)
    data = compressed(RLELossless, head + plane * 3, Rows=10, Columns=10)
    with pytest.raises(ImageError, match="damaged"):
        reader.open_picture(data)


def test_size_is_refused_before_a_frame_is_decoded(monkeypatch):
    monkeypatch.setattr(dicom, "_by_pillow", lambda *_: pytest.fail("it was decoded"))
    data = compressed(dicom.JPEG, saved("JPEG"))
    with pytest.raises(ImageError, match="too large"):
        reader.open_image(data, Limits(10**9, 100, 10_000))


def test_pydicom_reads_what_these_tests_make():
    assert pydicom.dcmread(io.BytesIO(made())).PatientName == NAME
