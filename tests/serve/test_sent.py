"""What the page *kubectl at the door* says that kubectl sends is what kubectl sends."""

import pytest

from tests.serve.sent import FILE, asked, text

pytestmark = pytest.mark.needs("kubectl")


def test_kubectl_sends_what_was_recorded():
    assert text(asked()) == FILE.read_text(), "python -m tests.serve.sent records it anew"
