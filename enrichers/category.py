"""Which of the seven categories an alert belongs to: by its label, else by the words of its name and metric."""

import re
from functools import lru_cache

from enrichers.api import Context
from receiver.domain.enrichment import AlertView, Enrichment
from receiver.domain.vocabulary import Category

_WORDS: tuple[tuple[Category, str], ...] = (
    (
        Category.SECURITY,
        (
            r"cert(ificate)?s?(?![a-z])|x509|tls|expir|brute|intrusion|falco|waf|cve|vulnerab|unauthori[sz]ed|login|auth(?!or)|malware|"
            r"denied|audit|secret|token|firewall|fail2ban|ssh"
        ),
    ),
    (
        Category.DATABASE,
        (
            r"postgres|pg_|pgbouncer|mysql|maria|mongo|redis|cassandra|elastic|opensearch|clickhouse|oracle|mssql|sqlserver|"
            r"database|replication|cockroach|etcd|influx|couch|neo4j|galera|patroni|cnpg|memcache|deadlock|slow_?quer|vitess|tidb"
        ),
    ),
    (
        Category.BUSINESS,
        r"order|booking|revenue|payment|checkout|conversion|signup|cart(?![a-z])|business|sales|invoice",
    ),
    (
        Category.AVAILABILITY,
        (
            r"down(?![a-z])|unavailable|unreachable|absent|missing|probe|blackbox|notready|not_?ready|offline|outage|"
            r"disappeared|nodata|dead(?![a-z])|heartbeat|watchdog|quorum|noleader|no_?leader|up_total"
        ),
    ),
    (
        Category.PERFORMANCE,
        r"latency|slow|duration|response_?time|throughput|saturat|throttl|burn|slo(?![a-z])|backlog|lag(?![a-z])|apdex|p9[059]",
    ),
    (
        Category.SYSTEM,
        (
            r"node_|host|cpu|memory|disk|filesystem|inode|swap|raid|clock|ntp|network|interface|systemd|load(?![a-z])|oom|"
            r"temperature|smart|kube|pod(?![a-z])|container|volume|storage|kernel|ipmi|conntrack|bond|fan(?![a-z])|daemonset|node"
        ),
    ),
    (Category.APPLICATION, r"error|exception|crash|http|request|queue|job|worker|consumer|5xx|rollout|deploy"),
)
_TABLE = tuple((category, re.compile(words, re.IGNORECASE)) for category, words in _WORDS)
_VALID = {str(category): category for category in Category}
LOOKED_AT = 300


def category(alert: AlertView, _context: Context) -> Enrichment:
    """The label `category` when it is one of ours; else what name, metric and job speak of; else application."""
    told = _VALID.get(alert.labels.get("category", "").lower())
    if told is not None:
        return Enrichment(category=told)
    return Enrichment(category=_by_words(alert.name[:LOOKED_AT], (alert.metric or "")[:LOOKED_AT]))


@lru_cache(4096)
def _by_words(name: str, metric: str) -> Category:
    for text in (name, metric):
        for found, words in _TABLE:
            if text and words.search(text):
                return found
    return Category.APPLICATION
