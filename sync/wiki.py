"""The project's wiki: pages by their title, folders parted by "/". Every call raises what the platform's requests raise.

GitLab keeps no version to ask for: the last writer wins (behaviour.md 4).
"""

from dataclasses import dataclass
from urllib.parse import quote

from integration.faults import Failure, Permanent
from sync.answers import Page
from sync.gitlab import Platform
from sync.refusals import Gone


@dataclass(frozen=True, slots=True)
class Wiki:
    """The wiki of the platform's project. Writing takes Developer or Planner (behaviour.md 4)."""

    platform: Platform

    def page(self, title: str) -> str | None:
        """The text of the page with this title, None where there is none. One request."""
        try:
            return Page.read(self.platform.get(f"{self._path}/{quote(page_slug(title), safe='')}")).content
        except Gone:
            return None

    def slugs(self) -> list[str]:
        """The addresses of all pages, as `page_slug` makes them. One request: GitLab lists them whole."""
        return [Page.read(page).slug for page in self.platform.rows(self._path)]

    def write(self, title: str, content: str) -> None:
        """Bring the page with this title to this text: one is made where there is none, none is written where nothing differs."""
        seen = self.page(title)
        if seen is None:
            made = self.platform.post(self._path, {"title": title, "content": content})
        elif seen != content:  # without a title, which would move the page
            made = self.platform.put(f"{self._path}/{quote(page_slug(title), safe='')}", {"content": content})
        else:
            return
        at = Page.read(made).slug
        if at != page_slug(title):
            raise Permanent(f"the wiki page {title!r} is at {at!r}", Failure.FOREIGN)

    @property
    def _path(self) -> str:
        return f"{self.platform.project}/wikis"


def page_slug(title: str) -> str:
    """Where a page with this title is, from the wiki's root: "Laporan-mingguan/2026-W23"."""
    return title.replace(" ", "-")
