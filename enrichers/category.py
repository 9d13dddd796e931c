"""Which of the seven categories an alert belongs to: by its label, else by the words of its name and metric."""

from functools import lru_cache

import re2

from enrichers.api import Context
from receiver.domain.enrichment import AlertView, Enrichment
from receiver.domain.vocabulary import Category
from receiver.domain.words import words_of

_NAME, _METRIC = 3, 2
"""A word in the name says more than one in the metric: people chose the name for this very trouble."""
_SYMPTOM, _STRONG, _WEAK = 4, 3, 1
"""What is wrong says more than where it is; a technology more than the layer it runs in."""

_SIGNS: tuple[tuple[Category, int, str], ...] = (
    (
        Category.SECURITY,
        _SYMPTOM,
        (
            r"certs?|certificates?|x509|tls|ssl|brute force|intrusion|attacks?|d ?do ?s|vulnerab\w*|cves?|"
            r"malware|unauthori[sz]ed|"
            r"forbidden|denied|privileges?|compliance|fail2ban|falco|kubescape|trivy|waf|"
            r"role assignments?|log ?ins?|audit|"
            r"(secret|token|password|credential|key|domain)s? \w*( \w+)? ?(expir\w*|rotation|leak\w*)|"
            r"(un)?sealed|keyholder"
        ),
    ),
    (Category.SECURITY, _STRONG, r"vault|firewall|auth\w*|wireguard|vpn|iam|risk|ratelimit|rate limit\w*"),
    (
        Category.AVAILABILITY,
        _SYMPTOM,
        (
            r"down|unavailable|unreachable|absent|missing|offline|outage|disappeared|vanished|dead|lost|killed|heartbeat|"
            r"watchdog|(not|un) ?(ready|running|available|satisfied|healthy|reachable)|unhealthy|"
            r"notready|no (leader|quorum|"
            r"data|targets?|backends?|replicas?|instances?|workers?|response)|nodata|availability|quorum|"
            r"(network|cluster) partition\w*|split ?brain|replicas? mismatch|replicas unavailable|not connected|"
            r"disconnected|no metrics|never established|"
            r"probe (fail\w*|success)|failed probe|underreplicated|under replicated"
        ),
    ),
    (Category.AVAILABILITY, _STRONG, r"up|blackbox|probe|ping|liveness|replicas"),
    (
        Category.PERFORMANCE,
        _SYMPTOM,
        (
            r"latency|slow\w*|response ?times?|throughput|throttl\w*|saturat\w*|apdex|p9[059]\d?|"
            r"hit (rate|ratio)|hitratio|"
            r"first ?byte|timing|overload\w*|congest\w*|not keeping ?up|keepingup|"
            r"burn ?rate\w*|budget burn|error budget"
        ),
    ),
    (
        Category.PERFORMANCE,
        _STRONG,
        r"duration|backlog|lag(ging)?|delay(ed)?|queue\w*|evict\w*|wait(ing)?|ratelimit|slo|sli",
    ),
    (
        Category.DATABASE,
        _STRONG,
        (
            r"postgres\w*|pg|pgbouncer|mysql\w*|maria\w*|mongo\w*|redis|valkey|cassandra|elastic\w*|"
            r"opensearch|clickhouse|oracle\w*|"
            r"mssql|sqlserver|sql|database\w*|db|cockroach\w*|etcd|influx\w*|couch\w*|neo4j|galera|"
            r"patroni|cnpg|memcached?|aerospike|"
            r"deadlocks?|vitess|tidb|tikv|solr|promscale|tsdb|tsids?|replication|rds|dynamo\w*|zookeeper|druid|hbase|"
            r"hdfs|namenode|data ?nodes?|tablespace|wal|innodb|partitions?|shards?|scylla"
        ),
    ),
    # A part of what a database keeps is gone: that is its own trouble, not a service that does not answer.
    (
        Category.DATABASE,
        _SYMPTOM,
        (
            r"(dead|lost|missing|unavailable|corrupt) (partitions?|shards?|blocks?|chunks?|tablets?)|"
            r"slow quer(y|ies)|long (running )?(quer(y|ies)|transactions?)"
        ),
    ),
    (
        Category.BUSINESS,
        _SYMPTOM,
        (
            r"orders?|bookings?|revenue|payments?|checkouts?|conversions?|signups?|sign ups?|carts?|"
            r"business|sales|invoices?|"
            r"billing|licen[sc]es?|subscriptions?|transactions? (rate|drop)|cost|spend"
        ),
    ),
    (
        Category.SYSTEM,
        _STRONG,
        (
            r"cpu|memory|mem|disks?|filesystems?|inodes?|swap|raid|clock|ntp|nic|bond\w*|oom|temperature|smart|hardware|"
            r"redfish|ipmi|esxi|volumes?|kernel|conntrack|fans?|fd|file descriptors?|filedescriptor\w*|"
            r"interfaces?|power|psu|"
            r"insufficient resources|resource usage|quota\w*|capacity|running out|exhaust\w*|identities|"
            r"network|icmp|p?mtud?|packets?|storage|reboot\w*|hypervisors?"
        ),
    ),
    (Category.SYSTEM, _WEAK, r"nodes?|hosts?|kube(let|proxy)?|systemd|load|machine|containers?|vm|ssh|snmp|bgp|dns"),
    (
        Category.APPLICATION,
        _SYMPTOM,
        (
            r"reload\w*|reconcil\w*|crash\w*|exceptions?|restart\w*|misconfig\w*|config\w* (error|invalid|fail\w*)|"
            r"sync fail\w*|jobs? fail\w*|workflows?|rollouts?|deploy(ment)? fail\w*|bad requests?|5xx|stale|claims?"
        ),
    ),
    (
        Category.APPLICATION,
        _STRONG,
        (
            r"errors?|fail(s|ed|ing|ures?)?|https?|requests?|workers?|consumers?|controllers?|"
            r"operators?|managed|crossplane|"
            r"flux|argo\w*|prometheus|alertmanager|thanos|loki|grafana|targets"
        ),
    ),
    # What a controller was told to make is not there yet: the declaration or the controller is at fault.
    (Category.APPLICATION, _SYMPTOM, r"(crossplane|managed) resources?|claims? not ready"),
)


def _together() -> "re2.Set":
    """All signs in one search: each by itself took a third of the time an alert of a new rule takes to be read."""
    made = re2.Set.SearchSet()
    for _, _, words in _SIGNS:
        made.Add(rf"\b(?:{words})\b")
    made.Compile()
    return made


_TOGETHER = _together()
_ORDER = tuple(dict.fromkeys(category for category, *_ in _SIGNS))
_VALID = {str(category): category for category in Category}
LOOKED_AT = 300
"""Characters of name and of metric."""


def category(alert: AlertView, _context: Context) -> Enrichment | None:
    """The label `category` when it is one of ours; else what name and metric speak of; else application.

    None when the sender itself has said what it is.
    """
    told = _VALID.get(alert.labels.get("category", "").lower())
    if told is None and alert.category is not None:
        return None
    return Enrichment(category=told or _by_words(alert.name[:LOOKED_AT], (alert.metric or "")[:LOOKED_AT]))


@lru_cache(4096)
def _by_words(name: str, metric: str) -> Category:
    scores = dict.fromkeys(_ORDER, 0)  # of two with the same score the first one stands
    for said, text in ((_NAME, name), (_METRIC, metric)):
        for place in _TOGETHER.Match(words_of(text)) or ():
            found, weight, _ = _SIGNS[place]
            scores[found] += weight * said
    best = max(scores, key=scores.__getitem__)
    return best if scores[best] else Category.APPLICATION
