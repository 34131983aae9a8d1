"""The calls about uploads and wiki pages."""

import base64
import re
import secrets

from sandbox.gitlab import payloads, representations, rights
from sandbox.gitlab.acting import Refused, bad, invalid, missing
from sandbox.gitlab.calls import PAGES, Call, Reply, route
from sandbox.gitlab.entities import Level, Project, Upload, User, WikiPage

UPLOADS = "/projects/<project>/uploads"
WIKIS = "/projects/<project>/wikis"
FILES = "/projects/<project>/repository/files/<path>"
MAX_ATTACHMENT = 100 * 1024 * 1024
FORMATS = ("markdown", "rdoc", "asciidoc", "org")


def _member(user: User, project: Project) -> bool:
    return rights.level(user, project) >= Level.GUEST


@route("POST", UPLOADS, ("file", "avatar"))  # python-gitlab sends an empty `avatar` along with every file
def upload(call: Call, project: str) -> Reply:
    """Keep a file; the answer holds the Markdown that links to it. Over the size limit the answer is 413."""
    found = call.project(project, _member)
    if "file" not in call.files:
        raise bad("file is missing")
    name, content = call.files["file"]
    if len(content) > MAX_ATTACHMENT:
        raise Refused(413, {"message": "413 Request Entity Too Large"})
    clean = re.sub(r"[^\w.\-+]", "_", name.rsplit("/", 1)[-1])
    kept = Upload(call.store.number("upload"), secrets.token_hex(16), clean, content, call.store.now(), call.user.id)
    found.uploads.append(kept)
    return Reply(representations.upload(found, kept), 201)


@route("GET", UPLOADS, PAGES)
def list_uploads(call: Call, project: str) -> Reply:
    """The files of a project, newest first, for Maintainers."""
    found = call.project(project, rights.admin_project)

    def shown(upload: Upload) -> representations.Json:
        by = call.store.users[upload.user_id]
        person = {"id": by.id, "name": by.name, "username": by.username}
        created = representations.moment(upload.created_at)
        return {"id": upload.id, "size": len(upload.content), "filename": upload.filename, "created_at": created, "uploaded_by": person}

    return call.page(found.uploads[::-1], shown)


def find_upload(project: Project, secret: str, filename: str) -> Upload:
    """Find a file by the two parts of its address. Raises `Refused` (404)."""
    found = next((one for one in project.uploads if (one.secret, one.filename) == (secret, filename)), None)
    if found is None:
        raise missing("File")
    return found


@route("GET", f"{UPLOADS}/<secret>/<filename>")
def download(call: Call, project: str, secret: str, filename: str) -> Reply:
    """The bytes of a file."""
    return Reply(find_upload(call.project(project), secret, filename).content)


@route("DELETE", f"{UPLOADS}/<secret>/<filename>")
def delete_upload(call: Call, project: str, secret: str, filename: str) -> Reply:
    """Delete a file, as a Maintainer. What links to it stays and leads nowhere."""
    found = call.project(project, rights.admin_project)
    found.uploads.remove(find_upload(found, secret, filename))
    return Reply(None, 204)


@route("DELETE", f"{UPLOADS}/<number>")
def delete_listed(call: Call, project: str, number: str) -> Reply:
    """Delete a file by the number the list gives it, as a Maintainer."""
    found = call.project(project, rights.admin_project)
    listed = next((one for one in found.uploads if str(one.id) == number), None)
    if listed is None:
        raise missing("File")
    found.uploads.remove(listed)
    return Reply(None, 204)


# the repository


def _pushes(user: User, project: Project) -> bool:
    return rights.writes(user, project, Level.DEVELOPER)


@route("GET", FILES, ("ref",))
def show_file(call: Call, project: str, path: str) -> Reply:
    """A file of the repository, its text in base64."""
    found, ref = call.project(project), str(call.required("ref"))
    if path not in found.files or ref not in {found.default_branch, "HEAD"}:
        raise missing("File")
    content = base64.b64encode(found.files[path].encode()).decode()
    return Reply({"file_name": path.rpartition("/")[2], "file_path": path, "encoding": "base64", "content": content, "ref": ref})


@route("POST", FILES, ("branch", "content", "commit_message"))
def create_file(call: Call, project: str, path: str) -> Reply:
    """Commit a new file; the first one makes the branch. In `.gitlab/issue_templates/Default.md` it fills descriptions left empty."""
    found = call.project(project, _pushes)
    branch, content, _ = str(call.required("branch")), str(call.required("content")), call.required("commit_message")
    if found.default_branch and branch != found.default_branch:
        raise bad("You can only create or edit files when you are on a branch")
    if path in found.files:
        raise bad("A file with this name already exists")
    found.default_branch = branch
    found.files[path] = content
    if path == ".gitlab/issue_templates/Default.md":
        found.templates["Default"] = content
    return Reply({"file_path": path, "branch": branch}, 201)


# wiki


def _slug(title: str) -> str:
    return re.sub(r"\s+", "-", title.strip())


def _page(project: Project, slug: str) -> WikiPage:
    if slug not in project.wiki:
        raise missing("Wiki Page")
    return project.wiki[slug]


def _fire(call: Call, project: Project, page: WikiPage, action: str) -> None:
    body = payloads.wiki_event(call.store, project, page, call.user, action)
    call.acting.post.fire(project, "wiki_page_events", lambda: body, cause=call.acting.cause)


@route("GET", WIKIS, ("with_content",))
def list_pages(call: Call, project: str) -> Reply:
    """Every page by slug, not in pages."""
    found, content = call.project(project), call.flag("with_content") or False
    return Reply([representations.wiki(found.wiki[slug], content=content) for slug in sorted(found.wiki)])


@route("POST", WIKIS, ("title", "content", "format"))
def create_page(call: Call, project: str) -> Reply:
    """Write a new page; a title taken is refused."""
    found = call.project(project, rights.write_wiki)
    title, content = str(call.required("title")), str(call.required("content"))
    slug = _slug(title)
    if slug in found.wiki:
        raise invalid("base", "Duplicate page: A page with that title already exists")
    page = WikiPage(call.store.number("wiki"), title, slug, content, call.choice("format", FORMATS, "markdown"))
    found.wiki[slug] = page
    _fire(call, found, page, "create")
    return Reply(representations.wiki(page), 201)


@route("GET", f"{WIKIS}/<slug>")
def show_page(call: Call, project: str, slug: str) -> Reply:
    """One page."""
    return Reply(representations.wiki(_page(call.project(project), slug)))


@route("PUT", f"{WIKIS}/<slug>", ("title", "content", "format"))
def change_page(call: Call, project: str, slug: str) -> Reply:
    """Rewrite a page; a new title moves it to a new slug. The last writer wins."""
    found = call.project(project, rights.write_wiki)
    page = _page(found, slug)
    if not call.params:
        raise bad("title, content, format are missing, at least one parameter must be provided")
    page.title = str(call.params.get("title", page.title))
    page.content = str(call.params.get("content", page.content))
    del found.wiki[slug]
    page.slug = _slug(page.title)
    found.wiki[page.slug] = page
    _fire(call, found, page, "update")
    return Reply(representations.wiki(page))


@route("DELETE", f"{WIKIS}/<slug>")
def delete_page(call: Call, project: str, slug: str) -> Reply:
    """Delete a page."""
    found = call.project(project, rights.delete_wiki)
    page = found.wiki.pop(_page(found, slug).slug)
    _fire(call, found, page, "delete")
    return Reply(None, 204)
