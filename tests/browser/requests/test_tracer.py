"""Request tracer in a browser: predicted first, then it walks; stages by key and by hand, and requests of one's own."""

import pytest

from tests.browser.conftest import violations

pytestmark = pytest.mark.needs("chromium", "playwright", "npm")
STILL = {"reduced_motion": "reduce"}


def head(drawn):
    return drawn.locator(".km-head").inner_text()


def stage(drawn, name):
    return drawn.locator(f'[data-stage="{name}"]')


def predict(drawn, name, code):
    """Say where it ends and how, and run it."""
    stage(drawn, name).locator("label").click()
    drawn.locator(f'.km-req-code:has(input[value="{code}"])').click()
    drawn.get_by_role("button", name="Lock in, and run").click()


def broken(drawn, number):
    drawn.get_by_role("button", name=f"Broken {number}").click()


def test_the_good_one_is_told_without_a_click_and_its_stages_open(open_page, root, widget):
    drawn = widget(open_page(f"{root}/request.html")).root
    assert head(drawn) == "201 Created, after the whole chain"
    assert "team.shop.example changed it" in drawn.locator(".km-req-side").inner_text()
    stage(drawn, "authorize").get_by_role("button").click()
    assert 'RoleBinding "dev-deploys/shop" of Role "deployer"' in drawn.locator(".km-req-why").inner_text()
    stage(drawn, "store").get_by_role("button").click()
    assert "mod_revision(/registry/pods/shop/web) = 0 (there is none)" in drawn.locator(".km-req-facts").inner_text()


def test_a_broken_one_does_not_run_before_it_is_predicted(open_page, http, widget):
    drawn = widget(open_page(f"{http}/request.html")).root
    broken(drawn, 2)
    assert head(drawn) == "Where does it end, and with which code?"
    assert drawn.locator('[data-verdict="refused"]').count() == 0 and not drawn.locator(".km-bar").is_visible()
    drawn.get_by_role("button", name="Lock in, and run").click()
    assert drawn.locator(".km-hint").inner_text() == "Choose the stage in the chain first."
    stage(drawn, "authorize").locator("label").click()
    drawn.get_by_role("button", name="Lock in, and run").click()
    assert drawn.locator(".km-hint").inner_text() == "Choose the code as well."


@pytest.mark.parametrize(
    ("number", "name", "code", "ends"),
    [
        (1, "authenticate", 401, "401 Unauthorized, at Authentication"),
        (2, "authorize", 403, "403 Forbidden, at Authorization"),
        (3, "validate", 422, "422 Invalid, at Validation"),
        (4, "store", 409, "409 Conflict, at Storage"),
        (5, "mutate", 500, "500 InternalError, at Mutating admission"),
    ],
)
def test_each_broken_one_ends_as_it_should_and_a_true_prediction_is_called_so(
    open_page, http, widget, number, name, code, ends
):
    drawn = widget(open_page(f"{http}/request.html", **STILL)).root
    broken(drawn, number)
    predict(drawn, name, code)
    assert head(drawn) == ends
    assert drawn.locator(".km-req-said").inner_text().startswith("✓ You said")
    assert drawn.locator(".km-req-score").inner_text() == "1 of 1 prediction right, 4 to go"
    assert stage(drawn, name).get_attribute("data-verdict") == "refused"


def test_a_wrong_prediction_is_told_with_the_truth_kept_on_this_device_and_made_again(open_page, http, widget):
    page = open_page(f"{http}/request.html", **STILL)
    drawn = widget(page).root
    broken(drawn, 2)
    predict(drawn, "validate", 401)
    said = "✕ You said Validation and 401; it ended at Authorization with 403."
    assert said in drawn.locator(".km-req-said").inner_text()
    assert "you said" in stage(drawn, "validate").inner_text()
    page.reload()
    drawn = widget(page).root
    broken(drawn, "2, predicted wrong")
    assert said in drawn.locator(".km-req-said").inner_text()
    drawn.get_by_role("button", name="Predict again").click()
    predict(drawn, "authorize", 403)
    assert "and so it is" in drawn.locator(".km-req-said").inner_text()


def test_the_walk_plays_stands_still_and_goes_on_stage_by_stage(open_page, http, widget):
    page = open_page(f"{http}/request.html")
    drawn = widget(page).root
    broken(drawn, 3)
    predict(drawn, "decode", 400)
    assert drawn.locator(".km-req-said").is_hidden() and "✕" not in drawn.locator(".km-req-tabs").inner_text()
    page.wait_for_function("document.querySelector('[data-stage=info]').dataset.now === '1'")
    drawn.get_by_role("button", name="Pause").click()
    stood = drawn.locator("[data-now]").get_attribute("data-stage")
    drawn.get_by_role("button", name="next stage").press("Enter")
    assert drawn.locator("[data-now]").get_attribute("data-stage") != stood
    assert stage(drawn, "validate").get_attribute("data-verdict") == "unknown"
    drawn.get_by_role("button", name="To the end").click()
    assert head(drawn) == "422 Invalid, at Validation"


def test_keys_alone_do_it_all(open_page, http, widget):
    page = open_page(f"{http}/request.html", **STILL)
    drawn = widget(page).root
    drawn.get_by_role("button", name="Broken 1").press("Enter")
    drawn.locator(".km-req-choice input").first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    assert "Authentication" in drawn.locator(".km-req-step").first.inner_text()
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")  # from 400, the first, to 401
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert drawn.locator(".km-req-said").inner_text().startswith("✓")
    stage(drawn, "authenticate").get_by_role("button").press("ArrowUp")
    assert page.evaluate("document.activeElement.closest('[data-stage]').dataset.stage") == "time"
    assert drawn.locator(".km-req-side .km-req-name").inner_text() == "Time limit"
    page.keyboard.press("End")
    assert "401 Unauthorized" in drawn.locator(".km-req-side").inner_text()


def test_a_request_of_ones_own_is_answered_in_the_page_and_what_is_wrong_with_it_is_a_sentence(open_page, http, widget):
    page = open_page(f"{http}/request.html", **STILL)
    tracer = widget(page)
    drawn = tracer.root
    drawn.get_by_role("button", name="Your own").click()
    drawn.get_by_label("path").fill("/api/v1/nodes")
    drawn.get_by_label("method").select_option("GET")
    drawn.get_by_label("body, as JSON").fill("")
    drawn.get_by_role("button", name="Send it").click()
    page.wait_for_function("document.querySelector('.km-head').textContent.includes('403 Forbidden, at Authorization')")
    drawn.get_by_label("who asks").select_option("admin")
    drawn.get_by_role("button", name="Send it").click()
    page.wait_for_function("document.querySelector('.km-head').textContent.includes('200 OK')")
    drawn.get_by_label("path").fill("pods")
    drawn.get_by_role("button", name="Send it").click()
    trouble = drawn.locator(".km-req-trouble")
    trouble.wait_for(state="visible")
    assert trouble.inner_text().startswith("path 'pods': a path begins with /")
    drawn.get_by_label("path").fill("/api/v1/namespaces/shop/pods")
    drawn.get_by_label("method").select_option("POST")
    drawn.get_by_label("body, as JSON").fill("{")
    drawn.get_by_role("button", name="Send it").click()
    page.wait_for_function("document.querySelector('.km-head').textContent.includes('400 BadRequest, at Decode')")


@pytest.mark.pyodide
def test_the_page_and_the_kernel_give_the_same_walk(open_page, http, widget):
    from kubemini.requests import broken as requests

    page = open_page(f"{http}/request.html", **STILL)
    drawn = widget(page).root
    drawn.get_by_role("button", name="Change this request").click()
    drawn.get_by_role("button", name="Send it").click()
    page.wait_for_function("document.querySelector('.km-head').textContent.includes('201 Created')")
    asked = requests.cases()[0].asked
    mine = requests.ask({field: getattr(asked, field) for field in requests.FIELDS}).data()
    stage(drawn, "answer").get_by_role("button").click()
    body = drawn.locator(".km-req-side .km-req-diff").inner_text()
    assert body.splitlines() == mine["answer"]["body"]


@pytest.mark.parametrize("width", [390, 1100])
def test_it_is_accessible_and_fits(open_page, http, widget, width):
    options = {"viewport": {"width": width, "height": 800}, **STILL}
    page = open_page(f"{http}/request.html", **options)
    drawn = widget(page).root
    assert violations(page, "html") == []
    broken(drawn, 3)
    assert violations(page, "html") == []
    predict(drawn, "decode", 400)
    drawn.get_by_role("button", name="Table").click()
    assert violations(page, "html") == []
    drawn.get_by_role("button", name="Your own").click()
    assert violations(page, "html") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_scripts_the_text_tells_it(open_page, http):
    page = open_page(f"{http}/request.html", java_script_enabled=False)
    text = page.locator(".km-fallback").inner_text()
    assert "Authorization: Yes: allowed by RoleBinding" in text and "409 Conflict, at Storage" in text
