"""The API server in the order of a request: gate → forms ◇ → decoding ◇ → defaults ◇ → admission ◇ → rules ◇ → store.

gate/ who asks, may they, is there room (its decisions: decide/access ◇, decide/fairness ◇); decide/forms ◇ bytes and
objects, as clients want them; decide/ ◇ what every kind goes through; kinds/ ◇ what is special about each, a file a
kind (served ◇ says what it gives); rules/ ◇ what kinds share; admission/ ◇; bootstrap/ ◇ what a server makes sure of.
Beside them: storage, caching (one watch of etcd for all who watch), health (readyz). server is the component,
pipeline the handlers a request passes, as one list; http the same for clients from outside of the simulation; reading,
writing, reviewing and parts/ are its verbs, core what lies below them. ◇ = pure decisions.
"""
