"""Custom resources as Tables, and what is said of a version that is old."""

from kubemini.apiserver.columns.custom import results
from tests.apiserver.customs.parts import Definer

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def test_a_table_has_the_columns_of_the_definition_else_the_age():
    columns = [
        {"name": "Size", "type": "integer", "jsonPath": ".spec.size"},
        {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status', "priority": 1},
        {"name": "Since", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]
    mine = Definer("crd-o").define("cogs", "Cog", additionalPrinterColumns=columns)
    conditions = [{"type": "A", "status": "False"}, {"type": "Ready", "status": "True"}]
    mine.make("a", spec={"size": 3}, status={"conditions": conditions})
    mine.make("b", spec={"size": "x"})
    table = mine.ask("GET", mine.path, Accept=TABLE)[1]
    assert [one["name"] for one in table["columnDefinitions"]] == ["Name", "Size", "Ready", "Since"]
    assert [row["cells"][:3] for row in table["rows"]] == [["a", 3, "True"], ["b", None, None]]
    plain = Definer("crd-p").define("nuts", "Nut")
    assert [one["name"] for one in plain.ask("GET", plain.path, Accept=TABLE)[1]["columnDefinitions"]] == [
        "Name",
        "Age",
    ]


def test_a_path_leads_through_fields_with_dots_and_elements():
    obj = {"a": {"b.c": [{"n": 1}, {"n": 2}]}}
    assert results(obj, ".a.b\\.c[1].n") == results(obj, ".a['b.c'][-1].n") == [2]
    assert results(obj, ".a['b.c'][*].n") == [1, 2]
    assert results(obj, ".a['b.c'][?(@.n==1)].n") == [1]
    assert results(obj, ".a.x.y") == []
