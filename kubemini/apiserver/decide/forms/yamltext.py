"""An answer as YAML: keys in order, lists not indented, quotes where a text would be read as something else. Pure.

Models k/apimachinery pkg/runtime/serializer/json NewSerializerWithOptions.
"""

from functools import cache
from typing import Any


def yaml_bytes(value: Any) -> bytes:
    """*value* as YAML."""
    import yaml

    text = yaml.dump(value, Dumper=_dumper(), default_flow_style=False, sort_keys=True, allow_unicode=True, width=2**31)
    return text.encode()


@cache
def _dumper() -> Any:
    """PyYAML's dumper with the manners of Go's."""
    import yaml

    class Dumper(yaml.SafeDumper):
        def ignore_aliases(self, data: Any) -> bool:
            return True

    def text(dumper: Any, value: str) -> Any:
        plain = dumper.resolve(yaml.ScalarNode, value, (True, False)) == "tag:yaml.org,2002:str"
        style = "|" if "\n" in value else None if plain else '"'
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)

    def mapping(dumper: Any, value: Any) -> Any:
        return dumper.represent_dict({str(key): item for key, item in value.items()})

    Dumper.add_representer(str, text)
    Dumper.add_multi_representer(dict, mapping)
    Dumper.add_multi_representer(tuple, lambda dumper, value: dumper.represent_list(value))
    Dumper.add_multi_representer(list, lambda dumper, value: dumper.represent_list(value))
    return Dumper
