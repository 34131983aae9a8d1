"""A form of ours filled in on a page: what stands in its fields becomes the JSON the portal would send, and is checked as that is.

A field is named by its place in the form: "masalah.judul".
"""

import base64
import copy
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import get_args

from flask import request
from werkzeug.datastructures import FileStorage

from integration.codec import Json
from integration.forms import Problem

CHOICES = {name: get_args(Problem.model_fields[name].annotation) for name in ("kategori", "urgensi", "dampak")}
PROBLEM = (
    *("sistem.nama", "sistem.url", "masalah.judul", "masalah.uraian", "masalah.langkah_reproduksi"),
    *(f"masalah.{name}" for name in CHOICES),
)
OPTIONAL = frozenset({"sistem.url", "masalah.langkah_reproduksi", "unit_kerja.pimpinan.nip", "pelapor.telepon"})


def shown(form: Json, places: Iterable[str]) -> dict[str, str]:
    """What stands at these places, as text for the fields."""
    return {place: str(_at(form, place) or "") for place in places}


def filled(form: Json, places: Iterable[str], given: Mapping[str, str]) -> Json:
    """The form with what was written into these fields; an optional one left empty says nothing."""
    made = copy.deepcopy(form)
    for place in places:
        value = given.get(place, "").strip()
        *way, name = place.split(".")
        part = made
        for step in way:
            part = part.setdefault(step, {})
        part[name] = None if place in OPTIONAL and not value else value
    return made


def files(field: str) -> Iterator[Json]:
    """The files that were sent along in a field, as attachments of a form."""
    return (_attachment(file) for file in request.files.getlist(field) if file.filename)


def _attachment(file: FileStorage) -> Json:
    content = file.read()
    return {
        "nama": file.filename,
        "jenis": file.mimetype or "application/octet-stream",
        "ukuran": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "isi": base64.b64encode(content).decode(),
    }


def _at(form: Json, place: str) -> object:
    found: object = form
    for step in place.split("."):
        found = found.get(step) if isinstance(found, dict) else None
    return found
