"""Faults for either cluster, real or ours, by the names of `kubemini.study.elections.strike`: crash, pause, …"""


def sides(cluster, leader, how, who="leader"):
    """Who is hurt, and who is not: the leader or a follower; a cut takes as many as leave the others a majority."""
    ranked = sorted(cluster.names, key=lambda name: (name == leader) != (who == "leader"))
    number = len(ranked) // 2 if how == "cut" else 1
    return ranked[:number], ranked[number:]


def begin(cluster, hurt, how):
    cluster.cut(hurt) if how == "cut" else cluster.strike(hurt[0], how)


def end(cluster, hurt, how):
    cluster.heal() if how == "cut" else cluster.mend(hurt[0])
