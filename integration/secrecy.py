"""Passwords, keys, tokens and citizens' numbers in what people write: found and covered; pure.

Access is a record, never a secret (procedure.md rule 8). Text that merely speaks of passwords must pass, because complaints often do.
"""

import re
from collections.abc import Iterator

MASK = "••••••••"
"""What stands where a secret stood; in no language, and never taken for a secret itself."""

# Known by their own form, wherever they stand.
_BY_FORM = re.compile(
    r"""
      -----BEGIN\ [A-Z0-9 ]{0,40}PRIVATE\ KEY(?:\ BLOCK)?-----(?s:.*?)(?:-----END\ [A-Z0-9 ]{0,40}PRIVATE\ KEY(?:\ BLOCK)?-----|\Z)
    | PuTTY-User-Key-File-\d(?s:.*?)(?:Private-MAC:\ ?[0-9a-f]+|\Z)
    | \bgl(?:pat|oas|dt|rtr?|cbt|ptt|ft|imt|agent|wt|soat|ffct)-[\w.-]{16,}
    | \b(?:AKIA|ASIA)[0-9A-Z]{16}\b
    | \b(?:gh[pousr]|github_pat)_\w{30,}
    | \bxox[abeoprs]-[A-Za-z0-9-]{10,}
    | \bsk[-_](?:[a-z]{2,5}[-_])?[A-Za-z0-9]{24,}
    | \bAIza[\w-]{35}
    | \beyJ[\w-]{8,}\.eyJ[\w-]{8,}(?:\.[\w-]*)?     # a JSON web token
    | \bwhsec_[A-Za-z0-9+/=]{16,}
    | (?<=://)[^\s/:@]{1,100}:[^\s/@]{1,200}(?=@)   # https://user:password@host
    | (?i:(?<=\bbearer\ ))(?=\S{0,60}\d)[\w.~+/-]{20,}=*
    """,
    re.VERBOSE,
)

# Known by the word before them: "password: x", "kata sandinya = x", "DB_PASSWORD=x", "token server: x".
_NAME = re.compile(
    r"""
    (?: (?P<password> password | passwd | passphrase | (?<![a-z])(?:pass | pwd | pw | (?:kata[ _-]?)?sandi))
      | (?P<pin> (?<![a-z])pin)
      | (?<![a-z])(?:token | secret | kunci | key | rahasia | apikey)
    ) (?:nya)? (?![a-z])
    """,
    re.IGNORECASE | re.VERBOSE,
)
_SAID = re.compile(
    r"""[`'"*_)\]]* (?P<between>(?:[ \t]+[\w@-]{1,30}){0,3}?) [ \t]* (?P<sign>:=|=>|[:=]|adalah\b) [ \t*]*
    (?P<quote>[`'"]*) (?P<secret>[^\s`'"•]{1,300})""",
    re.IGNORECASE | re.VERBOSE,
)
_NEARBY = re.compile(r"[^\n]{0,60}?(?<![\w+/-])(?P<secret>[A-Za-z0-9+/_-]{20,300}={0,2})")

# NIK, and the number of a family card: region, day of birth (of women plus 40), month, year, and a number of that day.
_CITIZEN = re.compile(
    r"""
    (?<![\w.-]) (?P<region>[1-9]\d{3}) [\ .-]? \d{2}
    [\ .-]? (?: 0[1-9] | [12]\d | 3[01] | 4[1-9] | [56]\d | 7[01] ) [\ .-]? (?: 0[1-9] | 1[0-2] ) [\ .-]? \d{2} [\ .-]? \d{4} (?![\w-])
    """,
    re.VERBOSE,
)

# What follows "password:" in a sentence about passwords, and what stands for one.
_HARMLESS = re.compile(
    r"aman|baru|belum|benar|berhasil|berubah|bisa|diganti|dilupakan|direset|ditolak|error|expired|gagal|hilang|invalid|kedaluwarsa|kadaluarsa"
    r"|kosong|lama|lupa|none|null|oke?|reset|salah|sama|selesai|sesuai|sudah|terkirim|terlampir|tidak|valid|wajib|ya",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"\W*|_*|x{2,}|\$[{(].*|\$[A-Z_]+|<.*|\{\{.*|%\(.*|.*://.*", re.IGNORECASE)
_PIN = re.compile(r"\d{4,12}")
_CHOSEN = re.compile(r"(?=.*\d)(?=.*[^\W\d]).{6,}|(?=.*[A-Za-z])(?=.*[!@#$%^&*+=?]).{8,}")  # as people choose passwords
_DRAWN = re.compile(r"(?!/)(?=.*\d.*\d)(?:(?=.*[a-z])(?=.*[A-Z]).{16,}|(?=.*[a-fA-F])[0-9a-fA-F-]{24,})")  # by chance
_TOKEN = re.compile(r"(?=.*\d)(?=.*[^\W\d])[^-]{12,}")


def secrets_in(text: str) -> bool:
    """Whether the text carries a password, a key or a token."""
    return next(_spans(text), None) is not None


def mask(text: str) -> str:
    """The text with `MASK` for every secret in it; nothing is found in the result."""
    while spans := sorted(_spans(text)):
        pieces, end = [], 0
        for start, stop in spans:
            if start >= end:
                pieces += [text[end:start], MASK]
            end = max(end, stop)
        text = "".join([*pieces, text[end:]])
    return text


def cover(text: str) -> str:
    """The text as it may leave us: with `MASK` for every secret, and for all of a citizen's number but where it was given out."""
    return _CITIZEN.sub(lambda found: f"{found['region']}{MASK}", mask(text))


def _spans(text: str) -> Iterator[tuple[int, int]]:
    for found in _BY_FORM.finditer(text):
        yield found.span()
    for name in _NAME.finditer(text):
        said = _SAID.match(text, name.end())
        value = said["secret"].rstrip(".,;:!?)]}>*_") if said else ""
        if said and _is_secret(name, said, value):
            yield said.start("secret"), said.start("secret") + len(value)
        elif (nearby := _NEARBY.match(text, name.end())) and _DRAWN.fullmatch(nearby["secret"]):
            yield nearby.span("secret")


def _is_secret(name: re.Match[str], said: re.Match[str], value: str) -> bool:
    if _PLACEHOLDER.fullmatch(value):
        return False
    direct = not said["between"] and said["sign"].casefold() != "adalah"
    if name["pin"]:
        return direct and _PIN.fullmatch(value) is not None
    if not name["password"]:
        return bool(_DRAWN.fullmatch(value) or (direct and _TOKEN.fullmatch(value)))
    if direct and _stands_alone(said):
        return not _HARMLESS.fullmatch(value)
    return _CHOSEN.fullmatch(value) is not None


def _stands_alone(said: re.Match[str]) -> bool:
    """Whether the value is all that is said: quoted, assigned, ended by a comma, or the last word of its line."""
    rest = said.string[said.end() : said.end() + 80].partition("\n")[0]
    return bool(said["quote"]) or "=" in said["sign"] or said["secret"].endswith((",", ";")) or not re.search(r"[\w•]", rest)
