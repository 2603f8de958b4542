#!/usr/bin/env python3
"""Holds measurements against the bars.

    bars.py FILE     FILE has the JSON lines of scripts/bench.sh. Prints one JSON line for each bar,
                     {"bar", "value", "limit", "ok"}; of what was not measured the value is null.
                     Exits with 1 if a bar is missed or was not measured.
    bars.py --check  Checks itself.
"""

import json
import sys

# The network for which the cost of the chain is reckoned: peers, units of each, and audits that are
# drawn in it at the default parameters (docs/decisions: as many audits as deter).
PEERS, UNITS, AUDITS = 1_000, 100, 335
PALLETS = ("anchor", "capacity", "challenges", "epochs", "market", "providers", "receipts", "validators")
# Gas of a checkpoint by validators, and the most bytes of a message on Filecoin.
CHECKPOINTS = {7: 95_000, 100: 475_000, 256: 1_120_000}
MESSAGE_BYTES = 65_536
# Sizes of networks, in peers, in which every way to cheat is tried.
SIZES = {10, 100, 1_000, 10_000, 30_000, 100_000}


def last(rows, measure, **wanted):
    """The newest line of a measure; a line of nothing if there is none."""
    for row in reversed(rows):
        if row["measure"] == measure and all(row.get(key) == value for key, value in wanted.items()):
            return row
    return {}


def field(measure, name, **wanted):
    return lambda rows: last(rows, measure, **wanted).get(name)


def chain_cost(rows):
    """Import time of a unit and epoch as a part of the time to verify all its solutions."""
    report = field("reports", "import_ms_per_report")(rows)
    answer = field("audit_import_4", "ms_per_answer")(rows)
    fill = field("randomx", "fill_p50_ms")(rows)
    whole = field("verify_everything", "unit_p50_ms")(rows)
    if None in (report, answer, fill, whole):
        return None
    return (PEERS * report + AUDITS * answer + fill) / (PEERS * UNITS) / whole


def worst_cheat(rows):
    """Least part of the samples of a point that end below honest work."""
    found = [row for row in rows if row["measure"] == "economics" and not row.get("luck")]
    # What was measured under other parameters is over.
    found = [row for row in found if row.get("parameters") == found[-1].get("parameters")]
    if {row["peers"] for row in found} != SIZES:
        return None
    points = {}
    for row in found:
        points[row["cheat"], json.dumps(row["point"], sort_keys=True), row["peers"]] = row["below"]
    return min(points.values())


def spec_differences(rows):
    """Differences in the tests of both versions of the specification, if both ran."""
    found = [field("spec", "differences", version=version)(rows) for version in ("1", "2")]
    return None if None in found else sum(found)


def capped_guests(rows):
    """Real functions for which it is known what the cap is in time."""
    return len({row["guest"] for row in rows if row["measure"] == "cap_in_wasmtime"}) or None


def checkpoint_bytes(rows):
    """Call data of the longest checkpoint, if all were measured."""
    found = [field("anchor_gas", "call_data_bytes", validators=size)(rows) for size in CHECKPOINTS]
    return None if None in found else max(found)


def locked_short(rows):
    """What locked FLT did not pay or was not slashed, of escrow and of stake."""
    found = [field("locked_funds", "short", of=kind)(rows) for kind in ("escrow", "stake")]
    return None if None in found else sum(found)


def stateful(pallet):
    """Runs of a pallet's stateful test, if they were long enough."""

    def runs(rows):
        row = last(rows, "stateful", pallet=pallet)
        return row.get("runs") if row.get("steps", 0) >= 500 else None

    return runs


def unexplained_flt(rows):
    """FLT made or lost against the rules in the life of a whole chain, if it was long enough."""
    row = last(rows, "governance_stateful")
    return row.get("unexplained") if row.get("steps", 0) >= 10_000 else None


# Name, value, limit, and whether the limit is the least or the most.
BARS = [
    ("chain_cost.ratio", chain_cost, 0.001, "most"),
    ("reports_by_weight.per_second", field("reports_by_weight", "per_second"), 200, "least"),
    ("reports.per_second", field("reports", "per_second"), 200, "least"),
    ("reports.import_p50_ms", field("reports", "import_p50_ms"), 1_500, "most"),
    ("report_growth.ratio", field("report_growth", "ratio"), 1.05, "most"),
    ("audit_import_4.max_ms", field("audit_import_4", "max_ms"), 600, "most"),
    ("prover_rate.ratio light", field("prover_rate", "ratio", mode="light"), 0.98, "least"),
    ("prover_rate.ratio fast", field("prover_rate", "ratio", mode="fast"), 0.98, "least"),
    ("receipted_call.excess_ms", field("receipted_call", "excess_ms"), 0, "most"),
    ("calls.in_process", field("calls", "in_process"), 10_000, "least"),
    ("calls.sandbox", field("calls", "sandbox"), 4_000, "least"),
    ("instantiate.p50_us", field("instantiate", "p50_us"), 50, "most"),
    ("first_call.ratio", field("first_call", "ratio"), 1.5, "most"),
    ("restart.p50_ms", field("restart", "p50_ms"), 20, "most"),
    ("respawn.p50_ms", field("respawn", "p50_ms"), 20, "most"),
    ("idle_memory.mib", field("idle_memory", "mib"), 400, "most"),
    ("hostile.p99_ratio", field("hostile", "p99_ratio"), 2, "most"),
    ("hostile_calls.p99_ratio", field("hostile_calls", "p99_ratio"), 2, "most"),
    ("differential.cases", field("differential", "cases"), 100_000, "least"),
    ("differential.differences", field("differential", "differences"), 0, "most"),
    ("spec.differences", spec_differences, 0, "most"),
    ("adjudication_import.max_ms", field("adjudication_import", "max_ms"), 700, "most"),
    ("adjudication_import_large.max_ms", field("adjudication_import_large", "max_ms"), 700, "most"),
    ("cap_in_wasmtime.guests", capped_guests, 5, "least"),
    ("economics.below", worst_cheat, 0.99, "least"),
    *(
        (f"market_ops.{name}", field("market_ops", name), 150, "least")
        for name in ("create", "match", "settle", "stop")
    ),
    ("market_first_call.max_blocks", field("market_first_call", "max_blocks"), 3, "most"),
    ("market_killed.errors", field("market_killed", "errors"), 0, "most"),
    ("market_spare.beyond", field("market_spare", "beyond"), 5, "most"),
    ("market_picky.delay_blocks", field("market_picky", "delay_blocks"), 2, "most"),
    ("market_rows.left", field("market_rows", "left"), 0, "most"),
    ("locked_funds.short", locked_short, 0, "most"),
    ("governance_stateful.unexplained", unexplained_flt, 0, "most"),
    *(
        (f"anchor_gas.gas {size}", field("anchor_gas", "gas", validators=size), limit, "most")
        for size, limit in CHECKPOINTS.items()
    ),
    ("anchor_gas.call_data_bytes", checkpoint_bytes, MESSAGE_BYTES - 1, "most"),
    ("anchor_claimable.max_seconds", field("anchor_claimable", "max_seconds"), 60, "most"),
    *((f"stateful.runs {pallet}", stateful(pallet), 256, "least") for pallet in PALLETS),
]


def bars(rows):
    """One line for each bar."""
    lines = []
    for name, measured, limit, side in BARS:
        value = measured(rows)
        ok = value is not None and (value <= limit if side == "most" else value >= limit)
        if isinstance(value, float):
            value = float(f"{value:.4g}")
        lines.append({"bar": name, "value": value, "limit": limit, "ok": ok})
    return lines


def read(path):
    """The objects of a file that name what they measure. A line that was cut short tells nothing."""
    rows = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict) and "measure" in row:
                rows.append(row)
    return rows


def check():
    """Nothing measured misses every bar; figures at the limits meet them, others do not."""

    def values(rows):
        return {line["bar"]: (line["value"], line["ok"]) for line in bars(rows)}

    assert set(values([]).values()) == {(None, False)}
    whole = [
        {"measure": "reports", "per_second": 200, "import_p50_ms": 1_500, "import_ms_per_report": 2},
        {"measure": "audit_import_4", "max_ms": 601, "ms_per_answer": 100},
        {"measure": "audit_import_4", "max_ms": 600, "ms_per_answer": 100},
        {"measure": "randomx", "fill_p50_ms": 500},
        {"measure": "verify_everything", "unit_p50_ms": 1_000},
        {"measure": "reports_by_weight", "per_second": 199},
        {"measure": "report_growth", "ratio": 1.0501},
        {"measure": "prover_rate", "mode": "light", "ratio": 0.98},
        {"measure": "receipted_call", "excess_ms": -0.1},
        {"measure": "calls", "in_process": 10_000, "sandbox": 3_999},
        {"measure": "instantiate", "p50_us": 50},
        {"measure": "first_call", "ratio": 1.51},
        {"measure": "hostile", "p99_ratio": 2},
        {"measure": "hostile_calls", "p99_ratio": 2.01},
        {"measure": "differential", "cases": 100_000, "differences": 0},
        {"measure": "spec", "version": "1", "differences": 0},
        {"measure": "spec", "version": "2", "differences": 1},
        {"measure": "adjudication_import", "max_ms": 700},
        *({"measure": "cap_in_wasmtime", "guest": name} for name in ("a", "b", "c", "d", "e", "a")),
        {"measure": "market_ops", "create": 150, "match": 300, "settle": 149},
        {"measure": "market_first_call", "p50_blocks": 3.01, "max_blocks": 3.0},
        {"measure": "market_killed", "calls": 1_000, "errors": 1},
        {"measure": "market_picky", "delay_blocks": 3},
        {"measure": "market_rows", "left": 0},
        {"measure": "locked_funds", "of": "escrow", "short": 0},
        {"measure": "governance_stateful", "steps": 10_000, "unexplained": 0},
        {"measure": "anchor_gas", "validators": 7, "gas": 95_001, "call_data_bytes": 1_000},
        {"measure": "anchor_gas", "validators": 100, "gas": 475_000, "call_data_bytes": 65_535},
        {"measure": "anchor_claimable", "p50_seconds": 20.5, "max_seconds": 60.1},
        *({"measure": "stateful", "pallet": name, "runs": 256, "steps": 500} for name in PALLETS),
    ]
    found = values(whole)
    # (1,000 × 2 + 335 × 100 + 500) / 100,000 / 1,000.
    assert found["chain_cost.ratio"] == (0.00036, True)
    assert found["reports.per_second"] == (200, True)
    assert found["reports.import_p50_ms"] == (1_500, True)
    assert found["reports_by_weight.per_second"] == (199, False)
    assert found["report_growth.ratio"] == (1.05, False)
    assert found["audit_import_4.max_ms"] == (600, True)
    assert found["prover_rate.ratio light"] == (0.98, True)
    assert found["prover_rate.ratio fast"] == (None, False)
    assert found["receipted_call.excess_ms"] == (-0.1, True)
    assert found["calls.in_process"] == (10_000, True)
    assert found["calls.sandbox"] == (3_999, False)
    assert found["instantiate.p50_us"] == (50, True)
    assert found["first_call.ratio"] == (1.51, False)
    assert found["restart.p50_ms"] == (None, False)
    assert found["hostile.p99_ratio"] == (2, True)
    assert found["hostile_calls.p99_ratio"] == (2.01, False)
    assert found["differential.cases"] == (100_000, True)
    assert found["differential.differences"] == (0, True)
    assert found["spec.differences"] == (1, False)
    assert values(whole[:-1] + [{"measure": "spec", "version": "2", "differences": 0}])[
        "spec.differences"
    ] == (0, True)
    assert values([{"measure": "spec", "version": "2", "differences": 0}])["spec.differences"] == (
        None,
        False,
    )
    assert found["adjudication_import.max_ms"] == (700, True)
    assert found["cap_in_wasmtime.guests"] == (5, True)
    assert found["economics.below"] == (None, False)
    assert found["market_ops.create"] == (150, True)
    assert found["market_ops.settle"] == (149, False)
    assert found["market_ops.stop"] == (None, False)
    assert found["market_first_call.max_blocks"] == (3.0, True)
    assert found["market_killed.errors"] == (1, False)
    assert found["market_spare.beyond"] == (None, False)
    assert found["market_picky.delay_blocks"] == (3, False)
    assert found["market_rows.left"] == (0, True)
    assert found["locked_funds.short"] == (None, False)
    both = [{"measure": "locked_funds", "of": kind, "short": 0} for kind in ("escrow", "stake")]
    assert values(both)["locked_funds.short"] == (0, True)
    assert all(found[f"stateful.runs {name}"] == (256, True) for name in PALLETS)
    assert found["governance_stateful.unexplained"] == (0, True)
    assert found["anchor_gas.gas 7"] == (95_001, False)
    assert found["anchor_gas.gas 100"] == (475_000, True)
    assert found["anchor_gas.gas 256"] == (None, False)
    assert found["anchor_gas.call_data_bytes"] == (None, False)
    for size, met in ((65_535, True), (65_536, False)):
        large = {"measure": "anchor_gas", "validators": 256, "gas": 1, "call_data_bytes": size}
        assert values(whole + [large])["anchor_gas.call_data_bytes"] == (size, met)
    assert found["anchor_claimable.max_seconds"] == (60.1, False)
    brief = [{"measure": "governance_stateful", "steps": 9_999, "unexplained": 0}]
    assert values(brief)["governance_stateful.unexplained"] == (None, False)
    short = [{"measure": "stateful", "pallet": "market", "runs": 256, "steps": 120}]
    assert values(short)["stateful.runs market"] == (None, False)

    def cheat(peers, below, parameters="0x02", **more):
        row = {"measure": "economics", "cheat": "fake_leaves", "point": {"h": 0.5}, "peers": peers}
        return {**row, "below": below, "parameters": parameters, **more}

    grid = [cheat(10, 0.5, "0x01"), *(cheat(peers, 1.0) for peers in SIZES)]
    assert values(grid)["economics.below"] == (1.0, True)
    assert values(grid + [cheat(10, 0.0, luck=True)])["economics.below"] == (1.0, True)
    assert values(grid + [cheat(10, 0.98)])["economics.below"] == (0.98, False)
    assert values(grid[:-1])["economics.below"] == (None, False)


def main():
    if sys.argv[1:] == ["--check"]:
        check()
        return 0
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    lines = bars(read(sys.argv[1]))
    for line in lines:
        print(json.dumps(line))
    return 0 if all(line["ok"] for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
