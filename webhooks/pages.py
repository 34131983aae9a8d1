"""Pages of ours as a browser gets them: they load nothing from anywhere, run no script but their own, and stand in nobody's frame."""

import secrets

from flask import Response, make_response, render_template

from integration.templates import messages


def page(template: str, code: int = 200, *, forms: bool = False, **context: object) -> Response:
    """`templates/pages/<template>` as an answer; `nonce` marks its style and script as ours. `forms`: it sends forms, to us alone."""
    nonce = secrets.token_urlsafe(16)
    answer = make_response(render_template(template, nonce=nonce, **context), code)
    action = "'self'" if forms else "'none'"
    answer.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; "
        f"base-uri 'none'; form-action {action}; frame-ancestors 'none'"
    )
    return answer


def notice(title: str, sentence: str, code: int, href: str = "", link: str = "", **values: str) -> Response:
    """A page that says one thing, and where to go on.

    `title`, `sentence` and `link` are keys of templates/messages/edge.yaml; `values` go into the sentence.
    """
    words = messages("edge")
    return page(
        "pesan.html", code, title=words[title], sentence=words[sentence].format(**values), href=href, link=words[link] if link else ""
    )
