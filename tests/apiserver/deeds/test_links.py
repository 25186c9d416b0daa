"""A page that comes by the server's proxy: where its links lead."""

import pytest

from kubemini.apiserver.decide.parts import links

FRONT = "/api/v1/namespaces/default/pods/web/proxy"
HTML = (("Content-Type", "text/html; charset=utf-8"), ("Content-Length", "30"))


@pytest.mark.parametrize(
    ("page", "seen"),
    [
        ('<a href="/x">y</a>', f'<a href="{FRONT}/x">y</a>'),
        ('<a class=b href="/x/">', f'<a class=b href="{FRONT}/x/">'),
        ("<img src='/p.png'>", f'<img src="{FRONT}/p.png">'),
        ('<a href="x">', '<a href="x">'),  # relative: it leads there by itself
        ('<a href="https://k8s.io/x">', '<a href="https://k8s.io/x">'),
        (f'<a href="{FRONT}/x">', f'<a href="{FRONT}/x">'),
        ('<p href="/x">/x</p>', '<p href="/x">/x</p>'),
    ],
)
def test_links_of_a_page_lead_back_through_the_proxy(page, seen):
    headers, body = links.page(HTML, page.encode(), FRONT, "localhost:6443")
    assert body.decode() == seen and headers == HTML[:1]


def test_what_is_no_page_is_passed_on_as_it_is():
    plain = (("Content-Type", "text/plain"), ("Content-Length", "1"))
    assert links.page(plain, b'<a href="/x">', FRONT, "") == (plain, b'<a href="/x">')


def test_a_client_that_is_sent_elsewhere_stays_behind_the_proxy():
    headers, _ = links.page((("Location", "/started"),), b"", FRONT, "")
    assert headers == (("Location", f"{FRONT}/started"),)


@pytest.mark.parametrize(("path", "asked"), [("/", f"{FRONT}/"), ("/a/b", f"{FRONT}/a/b"), ("/a/", f"{FRONT}/a/")])
def test_what_stands_before_the_path_is_the_proxy(path, asked):
    assert links.prefix(asked, path) == FRONT
