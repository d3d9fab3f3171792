#!/usr/bin/env python3
"""Checks vectors/trees.json and vectors/proofs.json from docs/spec/state.md and proofs.md alone.

Beside verify.py, whose readers and hashes it uses. Every root is computed the slow way, every proof of
proofs.md section 2 is checked, and so are copies of it with one bit of each byte changed.
"""

import json
import pathlib
import struct
import sys

import verify
from verify import Frontier, Keys, Reader, Refused, entry_leaf, keyed, left_count, multi_root, need, root_by_path

MAPS = {"key": ("keymap", "klog"), "name": ("namemap", "nlog")}


def one_at(position, bit):
    return position[bit // 8] >> (7 - bit % 8) & 1


# --- Roots (state.md sections 3, 4 and 7) --------------------------------------------------------


def log_root(keys, tree, leaves):
    if not leaves:
        return keys.empty(tree)
    if len(leaves) == 1:
        return leaves[0]
    middle = left_count(len(leaves))
    pair = (log_root(keys, tree, leaves[:middle]), log_root(keys, tree, leaves[middle:]))
    return keys.node(tree, *pair)


def map_root(keys, tree, records):
    """Of (position, record hash) in ascending order."""
    if not records:
        return keys.empty(tree)
    if len(records) == 1:
        return keys.leaf(tree, b"".join(records[0]))
    first, last = records[0][0], records[-1][0]
    bit = next(bit for bit in range(256) if one_at(first, bit) != one_at(last, bit))
    sides = [[one for one in records if one_at(one[0], bit) == side] for side in (0, 1)]
    return keys.node(tree, *(map_root(keys, tree, side) for side in sides), bit=bit)


def status(keys, spent):
    if spent is None:
        return bytes(32)
    txid, block, place = spent
    return keyed(keys.key("outs", "spent"), txid + struct.pack("<QI", block, place) + bytes(20))


def output_leaf(keys, commitment, spent):
    return keys.leaf("outs", commitment + status(keys, spent))


def record_hash(keys, tree, record):
    log, count, last = record
    content = log + struct.pack("<QQ", count, last) + bytes(16)
    return keyed(keys.key(tree, "record"), content)


def check_trees(trees):
    keys, unhex = Keys(bytes.fromhex(trees["chain"])), bytes.fromhex
    for one in trees["hashes"]:
        tree, kind, content = one["tree"], one["kind"], unhex(one["content"])
        if kind == "node":
            digest = keys.node(tree, content[:32], content[32:], bit=one["bit"])
        else:
            digest = keyed(keys.key(tree, kind), content)
        need(digest.hex() == one["digest"], f"{tree} {kind} {one['bit']}")
    leaves = trees["leaves"]
    for log, name in (("klog", "entry_of_key"), ("nlog", "entry_of_name")):
        need(keys.leaf(log, unhex(leaves["entry"]) + bytes(19)).hex() == leaves[name], name)
    spent = verify.spent(Reader(unhex(leaves["spent"])))
    for spent, name in ((None, "output_unspent"), (spent, "output_spent")):
        leaf = output_leaf(keys, unhex(leaves["commitment"]), spent)
        need(leaf.hex() == leaves[name], name)
    for size in trees["roots"]:
        digests = [unhex(leaf) for leaf in size["leaves"]]
        for log in ("block", "klog", "nlog", "outs", "tx"):
            need(log_root(keys, log, digests).hex() == size[log], f"{log} of {len(digests)}")
        records = sorted(zip(digests, digests[1:] + digests[:1]))
        for tree in ("keymap", "namemap"):
            need(map_root(keys, tree, records).hex() == size[tree], f"{tree} of {len(digests)}")
    sized = {
        tree: keys.sized(tree, unhex(part["root"]), part["size"])
        for tree, part in trees["state"].items()
        if tree != "state_root"
    }
    left = keys.top(sized["block"], sized["keymap"])
    root = keys.top(left, keys.top(sized["namemap"], sized["outs"]))
    need(root.hex() == trees["state"]["state_root"], "state root")
    return len(trees["hashes"]), len(trees["roots"])


# --- Proofs (proofs.md sections 1 and 2) ---------------------------------------------------------


def by_count(read):
    """Reads a list without a limit of its own: the vectors are short."""
    return lambda reader: reader.list(lambda: read(reader), 65280)


digests = by_count(Reader.digest)
entries = by_count(verify.entry)


def top_of(reader):
    return {"near": reader.digest(), "far": reader.digest()}


def map_multi(reader):
    parts = {"steps": reader.bytes(65280), "gaps": list(reader.bytes(65280))}
    parts["siblings"] = digests(reader)
    parts["others"] = by_count(lambda r: (r.digest(), r.digest()))(reader)
    return parts


def map_multi_root(keys, tree, wanted, proof):
    """1.5: `wanted` are (position, record hash or none) in ascending order."""
    steps = [byte >> bit & 1 for byte in proof["steps"] for bit in range(8)]
    gaps, siblings, others = (list(proof[part]) for part in ("gaps", "siblings", "others"))
    if not (steps or gaps or siblings or others):
        need(all(record is None for _, record in wanted), f"{tree}: records of an empty map")
        return keys.empty(tree)

    def following(rest):
        need(rest, f"{tree}: a list that is too short")
        return rest.pop(0)

    def walk(inside, due):
        if not inside:
            return following(siblings)
        bit = due
        if not following(steps):
            gap = following(gaps)
            if gap == 0:
                return leaf(inside)
            bit += gap
        need(bit < 256, f"{tree}: a bit beyond the position")
        sides = [[one for one in inside if one_at(one[0], bit) == side] for side in (0, 1)]
        pair = [walk(side, bit + 1) for side in sides]
        return keys.node(tree, *pair, bit=bit)

    def leaf(inside):
        present = [one for one in inside if one[1] is not None]
        need(len(present) < 2, f"{tree}: two records in one leaf")
        found = present[0] if present else following(others)
        need(present or found[0] not in dict(inside), f"{tree}: absent, yet there")
        return keys.leaf(tree, b"".join(found))

    root = walk(wanted, 0)
    need(len(steps) < 8 and not any(steps), f"{tree}: steps left over")
    need(not (gaps or siblings or others), f"{tree}: a list that is too long")
    return root


def consistent(keys, tree, old, new, path):
    """1.2: `old` and `new` are (root, size)."""
    (old_root, old_size), (new_root, new_size) = old, new
    need(old_size <= new_size, f"{tree}: sizes")
    if old_size in (0, new_size):
        need(not path, f"{tree}: length of the path")
        need(old_size or old_root == keys.empty(tree), f"{tree}: old root")
        need(old_size != new_size or old_root == new_root, f"{tree}: equal roots")
        return
    zeros = (old_size & -old_size).bit_length() - 1
    inner = ((old_size - 1) ^ (new_size - 1)).bit_length() - zeros
    turns = (old_size - 1) >> zeros
    power = old_size & (old_size - 1) == 0
    due = inner + bin(turns >> inner).count("1") + (not power)
    need(len(path) == due, f"{tree}: length of the path")
    first, rest = (old_root, path) if power else (path[0], path[1:])
    both = [first, first]
    for level, sibling in enumerate(rest):
        if level >= inner or turns >> level & 1:
            both = [keys.node(tree, sibling, digest) for digest in both]
        else:
            both[1] = keys.node(tree, both[1], sibling)
    need(both == [old_root, new_root], f"{tree}: roots")


def check_map_proof(keys, at, proof, state):
    return verify.check_map(keys, MAPS[at["map"]][0], bytes.fromhex(at["position"]), proof, state)


def check_dense(keys, commitment, proof, state):
    leaf = output_leaf(keys, commitment, proof["spent"])
    root = root_by_path(keys, "outs", proof["position"], proof["size"], leaf, proof["path"])
    verify.check_top(keys, "outs", proof["size"], root, proof, state)


def output_proof(reader):
    proof = {"position": reader.u64(), "spent": reader.option(lambda: verify.spent(reader))}
    return proof | {"path": reader.path()} | verify.sized_top(reader)


def state_of(given, which="state"):
    return bytes.fromhex(given[which]["root"]), given[which]["height"]


def block_leaves(keys, given):
    return [keys.leaf("block", bytes.fromhex(root)) for root in given["roots"]]


def block_inclusion(keys, given, reader):
    path, top = reader.path(), top_of(reader)
    state, size = state_of(given)
    leaf = keys.leaf("block", bytes.fromhex(given["root"]))
    root = root_by_path(keys, "block", given["height"], size, leaf, path)
    verify.check_top(keys, "block", size, root, top, state)


def block_consistency(keys, given, reader):
    sides = []
    for which in ("old", "new"):
        root, top = reader.digest(), top_of(reader)
        state, size = state_of(given, which)
        verify.check_top(keys, "block", size, root, top, state)
        sides.append((root, size))
    consistent(keys, "block", *sides, reader.path())


def block_range(keys, given, reader):
    siblings, top = digests(reader), top_of(reader)
    state, size = state_of(given)
    leaves = dict(enumerate(block_leaves(keys, given), given["first"]))
    root = multi_root(keys, "block", size, leaves, siblings)
    verify.check_top(keys, "block", size, root, top, state)


def record(keys, given, reader):
    check_map_proof(keys, given["at"], verify.record_proof(reader), state_of(given)[0])


def record_batch(keys, given, reader):
    tree = MAPS[given["map"]][0]
    read = lambda r: r.option(lambda: (r.digest(), r.u64(), r.u64()))
    records, multi, top = by_count(read)(reader), map_multi(reader), verify.sized_top(reader)
    positions = [bytes.fromhex(position) for position in given["positions"]]
    need(len(records) == len(positions), "record batch: number of records")
    hashes = [one and record_hash(keys, tree, one) for one in records]
    root = map_multi_root(keys, tree, list(zip(positions, hashes)), multi)
    verify.check_top(keys, tree, top["size"], root, top, state_of(given)[0])


def log_and_record(keys, given, reader):
    """What every proof of entries begins with."""
    log = MAPS[given["at"]["map"]][1]
    found = check_map_proof(keys, given["at"], verify.record_proof(reader), state_of(given)[0])
    return log, found or (keys.empty(log), 0, 0)


def entry_leaves(keys, log, shown):
    return [entry_leaf(keys, log, one) for one in shown]


def grown(keys, log, frontier, shown):
    for leaf in entry_leaves(keys, log, shown):
        frontier.append(leaf)
    return frontier


def all_entries(keys, given, reader):
    log, (root, count, _) = log_and_record(keys, given, reader)
    shown = entries(reader)
    need(len(shown) == count, "entries: number")
    need(grown(keys, log, Frontier(keys, log), shown).root() == root, "entries: log root")


def newest_entries(keys, given, reader):
    log, (root, count, _) = log_and_record(keys, given, reader)
    peaks, shown = reader.path(), entries(reader)
    due = min(given["asked"]["count"], count)
    need(len(shown) == due, "entries: number")
    before = Frontier(keys, log, count - due, peaks)
    need(grown(keys, log, before, shown).root() == root, "entries: log root")


def new_entries(keys, given, reader):
    log, (root, count, _) = log_and_record(keys, given, reader)
    shown, known = entries(reader), given["asked"]["known"]
    peaks = [bytes.fromhex(peak) for peak in known["peaks"]]
    page = grown(keys, log, Frontier(keys, log, known["size"], peaks), shown)
    consistent(keys, log, (page.root(), page.size), (root, count), reader.path())


def entry_range(keys, given, reader):
    log, (root, count, _) = log_and_record(keys, given, reader)
    shown, siblings, asked = entries(reader), digests(reader), given["asked"]
    need(asked["first"] < count, "entries: first")
    need(len(shown) == min(asked["count"], count - asked["first"]), "entries: number")
    leaves = dict(enumerate(entry_leaves(keys, log, shown), asked["first"]))
    need(multi_root(keys, log, count, leaves, siblings) == root, "entries: log root")


def output(keys, given, reader):
    commitment = bytes.fromhex(given["commitment"])
    check_dense(keys, commitment, output_proof(reader), state_of(given)[0])


def output_batch(keys, given, reader):
    read = lambda r: (r.u64(), r.option(lambda: verify.spent(r)))
    some, siblings, top = by_count(read)(reader), digests(reader), verify.sized_top(reader)
    commitments = [bytes.fromhex(one) for one in given["commitments"]]
    indices = [index for index, _ in some]
    need(len(some) == len(commitments), "output batch: number of outputs")
    need(indices == sorted(set(indices)), "output batch: order")
    pairs = zip(commitments, some)
    leaves = {index: output_leaf(keys, one, spent) for one, (index, spent) in pairs}
    root = multi_root(keys, "outs", top["size"], leaves, siblings)
    verify.check_top(keys, "outs", top["size"], root, top, state_of(given)[0])


def transactions(keys, given, reader):
    indices, siblings = by_count(Reader.u32)(reader), digests(reader)
    leaves = [bytes.fromhex(leaf) for leaf in given["leaves"]]
    need(len(indices) == len(leaves) > 0, "transactions: number of indices")
    need(indices == sorted(set(indices)), "transactions: order")
    need(indices[-1] < given["count"], "transactions: index")
    level, width, left = dict(zip(indices, leaves)), given["count"], list(siblings)
    while width > 1:
        above = {}
        for index in sorted(level):
            if index // 2 in above:
                continue
            other = index ^ 1
            if other >= width:
                above[index // 2] = level[index]
                continue
            need(other in level or left, "transactions: number of siblings")
            sibling = level[other] if other in level else left.pop(0)
            pair = (sibling, level[index]) if index & 1 else (level[index], sibling)
            above[index // 2] = keys.node("tx", *pair)
        level, width = above, (width + 1) // 2
    need(not left, "transactions: number of siblings")
    need(level[0].hex() == given["root"], "transactions: root")


# --- Refreshes (proofs.md section 1.6) -----------------------------------------------------------


def sent(reader, levels):
    """For each level the digest that is sent, or none."""
    bits = reader.take((levels + 7) // 8)
    is_sent = [byte >> bit & 1 for byte in bits for bit in range(8)]
    need(not any(is_sent[levels:]), "refresh: idle bits")
    return [reader.digest() if is_sent[level] else None for level in range(levels)]


def refreshed(levels, fresh, held):
    need(len(fresh) == len(levels), "refresh: number of levels")
    path = [digest or held.get(level) for level, digest in zip(levels, fresh)]
    need(None not in path, "refresh: a digest that is not held")
    return path


def path_levels(index, size):
    inner = (index ^ (size - 1)).bit_length()
    return [level for level in range(64) if level < inner or index >> level & 1]


def record_refresh(keys, given, reader):
    held = verify.record_proof(Reader(bytes.fromhex(given["held"])))
    fresh, kind = reader.option(lambda: (reader.digest(), reader.u64(), reader.u64())), reader.u8()
    need(kind < 4, "encoding: an unknown map refresh")
    path, other = ([], []), None
    if kind != 2:
        bits = verify.map_bits(reader)
        path = bits, refreshed(bits, sent(reader, len(bits)), dict(zip(*held["path"])))
    if kind == 1:
        other = reader.digest(), reader.digest()
    if kind == 3:
        need(held["other"], "refresh: no other leaf is held")
        kind, other = 1, held["other"]
    whole = {"record": fresh or held["record"], "kind": kind, "path": path, "other": other}
    check_map_proof(keys, given["at"], whole | verify.sized_top(reader), state_of(given)[0])


def output_refresh(keys, given, reader):
    held = output_proof(Reader(bytes.fromhex(given["held"])))
    fresh = reader.option(lambda: verify.spent(reader))
    fresh_path, top = sent(reader, reader.u8()), verify.sized_top(reader)
    index = held["position"]
    need(index < top["size"], "refresh: index")
    known = dict(zip(path_levels(index, held["size"]), held["path"]))
    path = refreshed(path_levels(index, top["size"]), fresh_path, known)
    whole = held | top | {"spent": fresh or held["spent"], "path": path}
    check_dense(keys, bytes.fromhex(given["commitment"]), whole, state_of(given)[0])


KINDS = [
    block_inclusion, block_consistency, block_range, record, record_batch, record_refresh,
    all_entries, newest_entries, new_entries, entry_range,
    output, output_batch, output_refresh, transactions,
]
CHECKS = {check.__name__.replace("_", " "): check for check in KINDS}


def check_proof(keys, vector, data):
    reader = Reader(data)
    CHECKS[vector["kind"]](keys, vector["given"], reader)
    reader.end()


def check_proofs(vectors):
    keys, changes = Keys(bytes.fromhex(vectors["chain"])), 0
    need({vector["kind"] for vector in vectors["proofs"]} == set(CHECKS), "a kind without vector")
    for vector in vectors["proofs"]:
        data = bytes.fromhex(vector["proof"])
        check_proof(keys, vector, data)
        for place in range(len(data)):
            changed = bytearray(data)
            changed[place] ^= 1 << place % 8
            try:
                check_proof(keys, vector, bytes(changed))
            except Refused:
                changes += 1
                continue
            raise Refused(f"{vector['kind']}: byte {place} changed, and it holds")
    return len(vectors["proofs"]), changes


def main():
    folder = pathlib.Path(__file__).parent / "vectors"
    trees, proofs = (json.loads((folder / f"{name}.json").read_text()) for name in ("trees", "proofs"))
    try:
        hashes, sizes = check_trees(trees)
        print(f"trees.json: {hashes} hashes and the roots of {sizes} sizes hold")
        held, changes = check_proofs(proofs)
        print(f"proofs.json: {held} proofs hold, none of {changes} changed copies does")
    except Refused as failing:
        print(f"INVALID  {failing}")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
