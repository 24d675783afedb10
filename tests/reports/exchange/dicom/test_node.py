"""A case goes to a real DICOM node on this machine; one that is down, refuses or breaks off is a sentence."""

import logging
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydicom.dataset import Dataset
from pydicom.uid import (
    ComprehensiveSRStorage,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    VLMicroscopicImageStorage,
)
from pynetdicom import AE, evt

from leukemia.access import acting
from leukemia.access.users import Role, User
from leukemia.audit import trail
from leukemia.cases import cells
from leukemia.cli import main as command_line
from leukemia.errors import AccessError, SendingError
from leukemia.reports import case as report
from leukemia.reports.exchange import sending
from leukemia.reports.exchange.dicom import export, node
from leukemia.reports.exchange.dicom.node import Delivery, Node
from leukemia.settings import RESEARCH_USE
from tests.support.case_factory import make_case
from tests.support.watch import Watch

NAME = "P-1"
KINDS = (VLMicroscopicImageStorage, ComprehensiveSRStorage)
PICTURES, OBJECTS = 3, 4


class Archive:
    """A node that keeps what it takes by its UID; ``rule`` says with which status it answers an object."""

    def __init__(self, kinds=KINDS, syntaxes=(ExplicitVRLittleEndian, ImplicitVRLittleEndian), tls=None):
        self.kept, self.asked, self.rule = {}, 0, lambda dataset: 0x0000
        self.entity = AE(ae_title="ARCHIVE")
        for kind in kinds:
            self.entity.add_supported_context(kind, list(syntaxes))
        handlers = [(evt.EVT_C_STORE, self._take)]
        self.server = self.entity.start_server(
            ("localhost", 0), block=False, evt_handlers=handlers, ssl_context=tls
        )
        self.port = self.server.socket.getsockname()[1]

    def _take(self, event):
        self.asked += 1
        dataset = event.dataset
        dataset.file_meta = event.file_meta
        answer = self.rule(dataset)
        if answer == "abort":
            event.assoc.abort()
            return 0x0000
        status = answer if isinstance(answer, Dataset) else Dataset()
        if not isinstance(answer, Dataset):
            status.Status = answer
        if status.Status >> 12 in (0x0, 0xB):
            self.kept[dataset.SOPInstanceUID] = dataset
        return status


@pytest.fixture
def archive(request):
    made = Archive(**getattr(request, "param", {}))
    yield made
    made.server.shutdown()


@pytest.fixture
def case(tmp_path):
    return make_case(tmp_path, NAME, probabilities=(0.9, 0.5, 0.1, None))


def send(data, archive, *more, name=NAME):
    to = f"localhost:{archive.port}"
    return command_line.main(["send", name, to, "--kind", "dicom", "--data", str(data), *more])


def store(data, case, where, seconds=30):
    return sending.store(data, report.gather(data, case.id, None), where, who="Ada", seconds=seconds)


def told(data):
    return [(entry.case_id, entry.new, entry.details) for entry in trail.entries(data, events=[trail.SENT])]


def number(dataset):
    return dataset.InstanceNumber if dataset.SOPClassUID == VLMicroscopicImageStorage else 0


@pytest.mark.parametrize(
    "archive", [{}, {"syntaxes": (ImplicitVRLittleEndian,)}], indirect=True, ids=["either", "implicit"]
)
def test_a_node_takes_all_and_that_is_on_record(tmp_path, case, archive, capsys):
    assert send(tmp_path, archive) == 0
    out = capsys.readouterr().out
    assert f"localhost:{archive.port} has taken case {NAME}: 4 of 4 objects. {RESEARCH_USE}" in out
    pictures = [one for one in archive.kept.values() if one.SOPClassUID == VLMicroscopicImageStorage]
    assert len(pictures) == PICTURES
    assert len(archive.kept) == OBJECTS
    for one in pictures:
        assert (one.pixel_array == cells.picture(tmp_path, case.id, one.InstanceNumber).pixels).all()
    assert told(tmp_path) == [(case.id, f"localhost:{archive.port}", '"DICOM, 4 of 4 objects"')]


def test_a_repeated_sending_doubles_nothing(tmp_path, case, archive):
    assert send(tmp_path, archive) == 0
    first = dict(archive.kept)
    assert send(tmp_path, archive) == 0
    assert archive.asked == 2 * OBJECTS
    assert archive.kept == first


def test_an_object_that_is_refused_does_not_keep_the_others_back(tmp_path, case, archive, capsys):
    archive.rule = lambda dataset: 0xA700 if number(dataset) == 2 else 0x0000
    assert send(tmp_path, archive) == 2
    said = capsys.readouterr().err
    assert "has taken 3 of 4 objects; refused: cell 2 (A700: Refused: Out of Resources)" in said
    assert "Send the case again" in said
    assert len(archive.kept) == OBJECTS - 1
    assert told(tmp_path) == [(case.id, f"localhost:{archive.port}", '"DICOM, 3 of 4 objects"')]
    archive.rule = lambda dataset: 0x0000
    assert send(tmp_path, archive) == 0
    assert len(archive.kept) == OBJECTS


def test_the_node_is_quoted_without_what_steers_a_terminal(tmp_path, case, archive):
    def refuse(dataset):
        status = Dataset()
        status.Status, status.ErrorComment = 0xC001, "no\x1b[31m room"
        return status

    archive.rule = refuse
    with pytest.raises(SendingError) as refused:
        store(tmp_path, case, Node("localhost", archive.port))
    assert "has taken 0 of 4 objects; refused: cell 1 (C001: no" in str(refused.value)
    assert "\x1b" not in str(refused.value)
    assert told(tmp_path) == []


def test_many_refusals_are_named_in_part(tmp_path, archive):
    case = make_case(tmp_path, probabilities=(0.9,) * 7)
    archive.rule = lambda dataset: 0xA900
    with pytest.raises(SendingError, match=r"cell 5 \(A900[^,]*\) and 3 more\. Send"):
        store(tmp_path, case, Node("localhost", archive.port))


def test_a_warning_is_passed_on_and_the_object_counts_as_taken(tmp_path, case, archive, capsys):
    archive.rule = lambda dataset: 0xB000 if number(dataset) == 1 else 0x0000
    assert send(tmp_path, archive) == 0
    assert "4 of 4 objects; with a warning: cell 1 (B000: Coercion of Data" in capsys.readouterr().out


@pytest.mark.parametrize("archive", [{"kinds": KINDS[:1]}], indirect=True)
def test_a_node_for_pictures_only_takes_the_pictures(tmp_path, case, archive):
    with pytest.raises(SendingError, match=r"3 of 4 objects; refused: report 1 \(this kind of object"):
        store(tmp_path, case, Node("localhost", archive.port))
    assert len(archive.kept) == PICTURES


def test_a_connection_that_breaks_off_is_told_and_what_was_taken_is_on_record(tmp_path, case, archive):
    archive.rule = lambda dataset: "abort" if number(dataset) == 2 else 0x0000
    with pytest.raises(SendingError, match="1 of 4 objects; the connection ended before cell 2 was taken"):
        store(tmp_path, case, Node("localhost", archive.port))
    assert told(tmp_path) == [(case.id, f"localhost:{archive.port}", '"DICOM, 1 of 4 objects"')]


def test_a_node_that_knows_another_title_refuses_us(tmp_path, case, archive, capsys):
    archive.entity.require_called_aet = True
    assert send(tmp_path, archive, "--called", "OTHER") == 2
    said = capsys.readouterr().err
    assert "refused the connection: called AE title not recognised." in said
    assert told(tmp_path) == []
    archive.entity.require_calling_aet = ["LAB"]
    assert send(tmp_path, archive, "--called", "ARCHIVE") == 2
    assert "calling AE title not recognised" in capsys.readouterr().err
    assert send(tmp_path, archive, "--called", "ARCHIVE", "--calling", "LAB") == 0


def test_nobody_there_and_no_such_host_are_sentences(tmp_path, case, capfd, caplog):
    logging.getLogger("pynetdicom").setLevel(logging.NOTSET)
    with socket.socket() as bound:
        bound.bind(("localhost", 0))
        port = bound.getsockname()[1]
        for host in ("localhost", "no-such-host.invalid"):
            to = f"{host}:{port}"
            args = ["send", NAME, to, "--kind", "dicom", "--data", str(tmp_path), "--seconds", "2"]
            assert command_line.main(args) == 2
            out, said = capfd.readouterr()
            assert out == ""
            assert said.startswith(f"leukemia: {to} cannot be reached")
            assert said.count("\n") == 1
            # The library's own words.
            assert caplog.records == []
    assert told(tmp_path) == []


def test_one_that_never_answers_is_not_waited_for_longer_than_was_said(tmp_path, case):
    with socket.socket() as bound:
        bound.bind(("localhost", 0))
        bound.listen()
        with pytest.raises(SendingError, match=r"did not answer within 0\.3 seconds"):
            store(tmp_path, case, Node("localhost", bound.getsockname()[1]), seconds=0.3)


@pytest.mark.slow
@pytest.mark.parametrize("patience", [60, 1])
def test_an_object_may_take_longer_to_make_than_anybody_waits(tmp_path, case, archive, patience):
    archive.entity.network_timeout = patience
    content = report.gather(tmp_path, case.id, None)

    def slowly():
        for one in export.instances(tmp_path, content):
            if one.name == "cell 2":
                time.sleep(3)
            yield one

    delivery = Delivery(OBJECTS)
    node.send(slowly(), delivery, Node("localhost", archive.port), seconds=2)
    assert str(delivery) == "4 of 4 objects"


def test_nothing_of_a_case_is_logged(tmp_path, archive, caplog):
    logging.getLogger("pynetdicom").setLevel(logging.NOTSET)
    caplog.set_level(logging.DEBUG)
    make_case(tmp_path, "Secret-4711", probabilities=(0.9,))
    assert send(tmp_path, archive, "--patient-id", "Hidden-8", name="Secret-4711") == 0
    (one, _) = archive.kept.values()
    assert one.PatientID == "Hidden-8"
    assert [record for record in caplog.records if record.name.startswith(("pynetdicom", "pydicom"))] == []
    assert "Secret-4711" not in caplog.text


@pytest.mark.slow
@pytest.mark.process
def test_a_program_that_sends_touches_nobody_but_the_node(tmp_path, case, archive):
    (tmp_path / "watched").mkdir()
    watched = Watch(tmp_path / "watched")
    to = f"localhost:{archive.port}"
    done = watched.run(
        "-m",
        "leukemia",
        "send",
        NAME,
        to,
        "--kind",
        "dicom",
        LEUKEMIA_DATA=tmp_path,
        LEUKEMIA_MODEL=tmp_path / "bundle",
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert len(archive.kept) == OBJECTS
    assert len(watched.started) >= 1
    watched.check()


def test_titles_are_checked_and_are_for_dicom_only(tmp_path, case, capsys):
    for title in ("", "x" * 17, "a\\b", "ü"):
        with pytest.raises(SystemExit):
            command_line.main(["send", NAME, "localhost:1", "--kind", "dicom", "--called", title])
        assert "is not a title" in capsys.readouterr().err
    assert command_line.main(["send", NAME, "localhost:1", "--called", "X", "--data", str(tmp_path)]) == 2
    assert "--called is for --kind dicom only" in capsys.readouterr().err


def test_sending_asks_for_a_role_and_is_signed_by_whoever_has_it(tmp_path, case, archive):
    where = Node("localhost", archive.port)
    with (
        acting.acting_as(User.of("Eve", "https://id.example#eve", {Role.VIEWER})),
        pytest.raises(AccessError, match="send cases to another system"),
    ):
        store(tmp_path, case, where)
    assert archive.asked == 0
    with acting.acting_as(User.of("Bob", "https://id.example#bob", {Role.READER})):
        store(tmp_path, case, where)
    (entry,) = trail.entries(tmp_path, events=[trail.SENT])
    assert entry.who == "Bob"


@pytest.fixture
def certificate(tmp_path):
    """A certificate of localhost that signed itself, as files: itself, and itself with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, private = tmp_path / "node.pem", tmp_path / "node.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    return pem, private


def test_a_connection_is_encrypted_and_only_with_a_node_that_is_trusted(tmp_path, case, certificate, capsys):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    archive = Archive(tls=context)
    try:
        assert send(tmp_path, archive, "--tls-ca", str(certificate[0])) == 0
        assert len(archive.kept) == OBJECTS
        other = ssl.get_default_verify_paths().cafile
        capsys.readouterr()
        assert send(tmp_path, archive, "--tls-ca", other, "--seconds", "3") == 2
        assert "its certificate is not one that is trusted" in capsys.readouterr().err
        assert send(tmp_path, archive, "--tls-ca", str(tmp_path / "none.pem")) == 2
        assert "none.pem cannot be read" in capsys.readouterr().err
    finally:
        archive.server.shutdown()
