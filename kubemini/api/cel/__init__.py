"""CEL, the language of rules in Kubernetes: `self.replicas <= 5`. Pure.

Theory of operation.

    text ──lexer, parser──▶ tree ──checker──▶ type, or where it is wrong
                              └──evaluator──▶ value, or what went wrong

An expression is compiled once, where somebody writes it: every name must be known there, every call must fit, and the
result must be of the type that the place wants. It is run whenever it is asked, with values for its names. What the
checker cannot know (`dyn`: an object without a schema) the evaluator finds out, and says in the same words as cel-go,
for those words are what people read in a refusal.

    rule = compiled("self.all(x, x.startsWith('a'))", {"self": list_of(STRING)}, BOOL)
    rule.run({"self": ["ab", "b"]})    # False

Invariant: the same text and values give the same result and the same words, in any process; no expression runs for
longer than its budget.
Models cel-go cel.Env.Compile cel.Program.Eval, k/apiserver pkg/cel/environment.
Why our own: what PyPI has neither checks types nor says where it failed, knows no optional values, and fails on a map
with three arguments.
"""

from kubemini.api.cel.expression import Expression, Refusal, compiled

__all__ = ["Expression", "Refusal", "compiled"]
