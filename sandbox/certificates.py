"""A certification authority nobody has to trust: it makes certificates for the people of a story, and signs PDF files with them.

Its keys live in memory and die with it.
"""

import io
from datetime import UTC, datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import NoEncryption
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.fields import SigFieldSpec

BEGINS, ENDS = datetime(2025, 1, 1, tzinfo=UTC), datetime(2035, 1, 1, tzinfo=UTC)
SEEN_AT = (50, 50, 250, 120)  # where a visible signature is drawn on the first page, in points


class Authority:
    """One such authority, under a name of its own."""

    def __init__(self, name: str = "CA Uji Coba") -> None:
        self._key = generate_private_key(SECP256R1())
        self.certificate = _certificate(name, self._key, name, self._key, authority=True)
        self._name = name

    def signer(self, name: str) -> SimpleSigner:
        """A key of somebody's own, with a certificate that calls them by this name."""
        key = generate_private_key(SECP256R1())
        certificate = _certificate(name, key, self._name, self._key, authority=False)
        packed = serialize_key_and_certificates(None, key, certificate, [self.certificate], NoEncryption())
        signer: SimpleSigner = SimpleSigner.load_pkcs12_data(packed, other_certs=[], passphrase=None)
        return signer


def sign(pdf: bytes, signer: SimpleSigner, field: str, *, visible: bool = False) -> bytes:
    """The PDF with one signature more, appended in a `field` of this name; not a byte of what was there is changed."""
    place = SigFieldSpec(field, box=SEEN_AT) if visible else None
    signing = PdfSigner(PdfSignatureMetadata(field_name=field), signer=signer, new_field_spec=place)
    signed: bytes = signing.sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf))).getvalue()
    return signed


def _certificate(
    name: str, key: EllipticCurvePrivateKey, issuer: str, issuer_key: EllipticCurvePrivateKey, *, authority: bool
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder(_named(issuer), _named(name), key.public_key(), x509.random_serial_number(), BEGINS, ENDS)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not authority,
                content_commitment=not authority,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=authority,
                crl_sign=authority,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    return builder.sign(issuer_key, hashes.SHA256())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
