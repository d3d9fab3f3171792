#!/usr/bin/env python3
"""Checks proof files from docs/spec/proofs.md alone: an outsider's verifier.

    python3 -m pip install blake3
    python3 docs/spec/verify.py                         every vector beside it, and damaged copies
    python3 docs/spec/verify.py FILE --genesis FILE     one .primusproof or .primusreceipt

Nothing here is shared with the Rust code. Everything is checked, signatures included (ristretto255,
merlin and STROBE below are written out); only the root of the genesis block itself is not computed,
so a file as of block 0 is refused. Exit 0: all hold; 3: one does not.
"""

import json
import pathlib
import struct
import sys

from blake3 import blake3


class Refused(Exception):
    """A proof that does not hold, with the failing part."""


def need(condition, part):
    if not condition:
        raise Refused(part)


# --- Hashing (state.md section 2) ---------------------------------------------------------------


def derive(tag, data):
    return blake3(data, derive_key_context=tag).digest()


def keyed(key, data):
    return blake3(data, key=key).digest()


class Keys:
    """The hash keys of one chain."""

    def __init__(self, chain):
        self.chain = chain

    def key(self, tree, kind, bit=0):
        return derive(f"primus v1 {tree} {kind}", self.chain + struct.pack("<H", bit))

    def empty(self, tree):
        return keyed(self.key(tree, "empty"), bytes(64))

    def node(self, tree, left, right, bit=0):
        if tree == "tx":
            return keyed(derive("primus v1 tx node", b""), left + right)
        return keyed(self.key(tree, "node", bit), left + right)

    def leaf(self, tree, content):
        return keyed(self.key(tree, "leaf"), content)

    def sized(self, tree, root, size):
        return keyed(self.key(tree, "size"), root + struct.pack("<Q", size) + bytes(24))

    def top(self, left, right):
        return keyed(self.key("top", "node"), left + right)


# --- Decoding (encoding.md) ---------------------------------------------------------------------


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        need(self.at + count <= len(self.data), "encoding: too short")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "little")

    def u8(self):
        return self.number(1)

    def u16(self):
        return self.number(2)

    def u32(self):
        return self.number(4)

    def u64(self):
        return self.number(8)

    def digest(self):
        return self.take(32)

    def flag(self):
        value = self.u8()
        need(value < 2, "encoding: a flag above 1")
        return value == 1

    def option(self, read):
        return read() if self.flag() else None

    def list(self, read, most):
        count = self.u32()
        need(count <= most, "encoding: too many elements")
        return [read() for _ in range(count)]

    def bytes(self, most):
        count = self.u32()
        need(count <= most, "encoding: too many bytes")
        return self.take(count)

    def tag(self, below):
        value = self.u32()
        need(value < below, "encoding: an unknown tag")
        return value

    def path(self):
        count = self.u8()
        need(count <= 64, "encoding: a long path")
        return [self.digest() for _ in range(count)]

    def end(self):
        need(self.at == len(self.data), "encoding: bytes left over")


def since(reader, start):
    return reader.data[start : reader.at]


def outpoint(r):
    return r.digest(), r.u32()


def output(r):
    value = {"owner": r.digest(), "amount": r.u64(), "host": r.option(r.digest)}
    r.tag(1)
    return value


def header(r):
    start = r.at
    need(r.u8() == 1, "header: version")
    value = {"height": r.u64(), "epoch": r.u64()}
    r.u64()
    r.take(64)
    r.u64()
    value["transactions"], value["count"] = r.digest(), r.u32()
    value["state"] = r.digest()
    r.digest()
    value["committee"], value["next"] = r.digest(), r.option(r.digest)
    r.take(48)
    value["root"] = derive("primus v1 header", since(r, start))
    return value


def member(r):
    return {"peer": r.digest(), "event": r.digest(), "stake": r.u64()}


def members(r):
    need(r.u8() == 1, "committee: version")
    return r.list(lambda: member(r), 999)


def committee_digest(listed):
    data = b"\x01" + struct.pack("<I", len(listed))
    for one in listed:
        data += one["peer"] + one["event"] + struct.pack("<Q", one["stake"])
    return derive("primus v1 committee", data)


def certificate(r):
    return {
        "epoch": r.u64(),
        "signers": r.bytes(125),
        "nonces": r.list(r.digest, 999),
        "sum": r.digest(),
    }


def snapshot(r):
    return header(r), certificate(r)


def record_proof(r):
    record = r.option(lambda: (r.digest(), r.u64(), r.u64()))
    kind = r.u8()
    need(kind < 3, "encoding: an unknown map proof")
    path = map_path(r) if kind < 2 else ([], [])
    other = (r.digest(), r.digest()) if kind == 1 else None
    return {"record": record, "kind": kind, "path": path, "other": other} | sized_top(r)


def sized_top(r):
    return {"size": r.u64(), "near": r.digest(), "far": r.digest()}


def map_path(r):
    bits = map_bits(r)
    return bits, [r.digest() for _ in bits]


def map_bits(r):
    count, dense = r.u8(), r.u8()
    need(dense <= count, "encoding: more dense branches than branches")
    bits = list(range(dense))
    for place in range(count - dense):
        gap = r.u8()
        need(place > 0 or gap > 0, "encoding: a first gap of none")
        bits.append((bits[-1] + 1 if bits else 0) + gap)
        need(bits[-1] < 256, "encoding: a bit beyond the position")
    return bits


def entry(r):
    return {"txid": r.digest(), "block": r.u64(), "index": r.u32(), "role": r.u8()}


def spent(r):
    return r.digest(), r.u64(), r.u32()


def block_proof(r):
    if r.tag(2) == 0:
        return None
    return header(r), {"path": r.path(), "near": r.digest(), "far": r.digest()}


def answer_body(r):
    kind = r.tag(10)
    if kind == 0:
        return kind, None
    if kind == 1:
        page = r.tag(3)
        proof = record_proof(r)
        peaks = r.path() if page == 1 else []
        entries = r.list(lambda: entry(r), 1024)
        need(page < 2, "answer: a page that only its wallet can check")
        return kind, (page, proof, peaks, entries)
    if kind == 2:
        start = r.at
        created = {"outpoint": outpoint(r), "output": output(r), "height": r.u64()}
        created["bytes"] = since(r, start)
        proof = {"position": r.u64(), "spent": r.option(lambda: spent(r)), "path": r.path()}
        return kind, (created, proof | sized_top(r))
    if kind == 3:
        data, start = r.bytes(327680), r.at
        outcome(r)
        result = since(r, start)
        indices = r.list(r.u32, 256)
        return kind, (data, result, indices, r.list(r.digest, 8192), block_proof(r))
    if kind in (4, 5):
        return kind, block_proof(r)
    if kind == 6:
        return kind, members(r)
    if kind == 7:
        return kind, record_proof(r)
    first = r.u64() if r.tag(2) == 1 else None
    proof = record_proof(r)
    entries = r.list(lambda: entry(r), 1024) if first is not None else []
    siblings = r.list(r.digest, 128) if first is not None else []
    start = r.at + 1
    signed = r.option(lambda: transaction_body(r))
    return kind, (first, proof, entries, siblings, signed, since(r, start))


REASONS = {2: 1, 4: 4, 6: 4, 7: 4, 9: 8, 10: 4, 11: 4, 13: 16, 14: 16}


def outcome(r):
    if r.tag(2) == 1:
        r.take(REASONS.get(r.tag(256), 0))
        r.option(r.digest)


CLAIMS = [
    ("transaction", "d"), ("output", "di"), ("history", "s"), ("block", "h"),
    ("consistency", "hd"), ("committee", "h"), ("record", "s"), ("newest", "si"),
    ("output at", "dih"), ("history at", "sh"), ("commit", "dh"), ("name", "no"),
]
LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789-"


def name_text(r):
    text = r.bytes(64)
    need(text and text.strip(b"-") == text and not text.strip(LETTERS), "name: letters")
    return text


def subject(r):
    """Of a key or a name: its map, its log, and its position in the map."""
    if r.tag(2) == 0:
        return of_key(r.digest())
    return of_name(name_text(r))


def of_key(key):
    return "keymap", "klog", derive("primus v1 key position", key)


def of_name(name):
    return "namemap", "nlog", derive("primus v1 name position", name)


def claim(r):
    name, fields = CLAIMS[r.tag(len(CLAIMS))]
    read = {"d": r.digest, "i": r.u32, "h": r.u64, "s": lambda: subject(r)}
    read |= {"n": lambda: name_text(r), "o": lambda: r.option(r.u64)}
    return name, [read[field]() for field in fields]


# --- Trees (proofs.md section 1) ----------------------------------------------------------------


def root_by_path(keys, tree, index, size, leaf, path):
    need(index < size, f"{tree}: index beyond the size")
    inner = (index ^ (size - 1)).bit_length()
    border = bin(index >> inner).count("1")
    need(len(path) == inner + border, f"{tree}: length of the path")
    digest = leaf
    for level, sibling in enumerate(path):
        if level >= inner or index >> level & 1:
            digest = keys.node(tree, sibling, digest)
        else:
            digest = keys.node(tree, digest, sibling)
    return digest


def left_count(count):
    """The largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1


def multi_root(keys, tree, size, leaves, siblings):
    """1.4: `leaves` by ascending index."""
    need(leaves and max(leaves) < size, f"{tree}: indices")
    left = list(siblings)

    def walk(first, count):
        inside = [index for index in leaves if first <= index < first + count]
        if not inside:
            need(left, f"{tree}: number of siblings")
            return left.pop(0)
        if count == 1:
            return leaves[first]
        half = left_count(count)
        pair = walk(first, half), walk(first + half, count - half)
        return keys.node(tree, *pair)

    root = walk(0, size)
    need(not left, f"{tree}: number of siblings")
    return root


class Frontier:
    def __init__(self, keys, tree, size=0, peaks=()):
        need(len(peaks) == bin(size).count("1"), f"{tree}: number of peaks")
        self.keys, self.tree, self.size, self.peaks = keys, tree, size, list(peaks)

    def append(self, leaf):
        size = self.size
        while size & 1:
            leaf = self.keys.node(self.tree, self.peaks.pop(), leaf)
            size >>= 1
        self.peaks.append(leaf)
        self.size += 1

    def root(self):
        if not self.peaks:
            return self.keys.empty(self.tree)
        digest = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            digest = self.keys.node(self.tree, peak, digest)
        return digest


def check_top(keys, tree, size, root, proof, state):
    sized, near, far = keys.sized(tree, root, size), proof["near"], proof["far"]
    pair = {
        "block": lambda: keys.top(keys.top(sized, near), far),
        "keymap": lambda: keys.top(keys.top(near, sized), far),
        "namemap": lambda: keys.top(far, keys.top(sized, near)),
        "outs": lambda: keys.top(far, keys.top(near, sized)),
    }[tree]
    need(pair() == state, f"{tree}: state root")


def check_record(keys, of, proof, state):
    tree, _, position = of
    return check_map(keys, tree, position, proof, state)


def check_map(keys, tree, position, proof, state):
    record, (bits, siblings) = proof["record"], proof["path"]
    need((record is not None) == (proof["kind"] == 0), "record: presence")
    if record is not None:
        log, count, last = record
        content = log + struct.pack("<QQ", count, last) + bytes(16)
        found = position, keyed(keys.key(tree, "record"), content)
    else:
        found = proof["other"]
        need(found is None or found[0] != position, "record: absent, yet there")
    if found is None:
        digest = keys.empty(tree)
    else:
        digest = keys.leaf(tree, found[0] + found[1])
        for bit, sibling in zip(reversed(bits), reversed(siblings)):
            one = position[bit // 8] >> (7 - bit % 8) & 1
            pair = (sibling, digest) if one else (digest, sibling)
            digest = keys.node(tree, *pair, bit=bit)
    check_top(keys, tree, proof["size"], digest, proof, state)
    return record


def entry_leaf(keys, log, one):
    content = one["txid"] + struct.pack("<QIB", one["block"], one["index"], one["role"])
    return keys.leaf(log, content + bytes(19))


def check_history(keys, of, body, wanted, state):
    page, proof, peaks, entries = body
    record, tree = check_record(keys, of, proof, state), of[1]
    log, count, _ = record or (keys.empty(tree), 0, 0)
    due = count if page == 0 else min(wanted, count)
    need(len(entries) == due, "history: number of entries")
    frontier = Frontier(keys, tree, count - due, peaks)
    for one in entries:
        frontier.append(entry_leaf(keys, tree, one))
    need(frontier.root() == log, "history: log root")
    return count, entries


def check_span(keys, of, body, state):
    """The index of the first entry that is shown, and whether there are more behind the last."""
    first, proof, entries, siblings = body[:4]
    record = check_record(keys, of, proof, state)
    if first is None:
        need(record is None, "span: a log that is said not to exist")
        return 0, False
    tree, (log, count, _) = of[1], record or (None, 0, 0)
    leaves = {first + place: entry_leaf(keys, tree, one) for place, one in enumerate(entries)}
    need(multi_root(keys, tree, count, leaves, siblings) == log, "span: log root")
    return first, first + len(entries) < count


def check_name(keys, name, height, body, head):
    height = head["height"] if height is None else height
    need(height <= head["height"], "claim: above the snapshot")
    entries, signed, signed_bytes = body[2], *body[4:]
    first, more = check_span(keys, of_name(name), body, head["state"])
    before = [one for one in entries if one["block"] <= height]
    after = len(entries) - len(before)
    need(len(before) == 1 or not before and first == 0, "name: entries up to the block")
    need(after == 1 or after == 0 and not more, "name: entries after the block")
    need(len(before) == (signed is not None), "name: a transaction too few or too many")
    if not before:
        return f"nobody holds {name.decode()} as of block {height}"
    identity = derive("primus v1 transaction", keys.chain + signed_bytes)
    need(identity == before[0]["txid"], "name: id")
    kind, fields = signed[1:]
    need(kind == 4 and fields[0] == name, "name: another transaction")
    return f"{fields[1].hex()[:16]}.. holds {name.decode()} as of block {height}"


def check_commit(keys, key, height, body, head):
    need(height <= head["height"], "claim: above the snapshot")
    entries, signed, signed_bytes = body[2], *body[4:]
    first, more = check_span(keys, of_key(key), body, head["state"])
    before = sum(one["block"] < height for one in entries)
    after = sum(one["block"] > height for one in entries)
    need(before == 1 or before == 0 == first, "commit: entries before the block")
    need(after == 1 or after == 0 and not more, "commit: entries after the block")
    found = [one for one in entries if one["block"] == height and one["role"] & 32]
    need(len(found) == (signed is not None), "commit: number of commits")
    if not found:
        return f"no commit in block {height}"
    identity = derive("primus v1 transaction", keys.chain + signed_bytes)
    need(identity == found[0]["txid"], "commit: id")
    kind, committed = signed[1:]
    need(kind == 3 and committed[0] == key, "commit: key")
    return f"commits to {committed[1].hex()[:16]}.. in block {height}, and to nothing else there"


def check_block(keys, proof, at, state):
    if proof is None:
        return at
    older, inclusion = proof
    leaf = keys.leaf("block", older["root"])
    root = root_by_path(keys, "block", older["height"], at["height"], leaf, inclusion["path"])
    check_top(keys, "block", at["height"], root, inclusion, state)
    return older


def root_by_several(keys, leaves, width, siblings):
    """The root of the transactions tree of this width from some of its leaves."""
    need(leaves and max(leaves) < width, "deed: place")
    left = list(siblings)
    while width > 1:
        above = {}
        for place in sorted(leaves):
            pair, beside = [leaves[place], None], place ^ 1
            if beside < width:
                need(beside in leaves or left, "deed: number of siblings")
                if place // 2 in above:
                    continue
                pair[1] = leaves[beside] if beside in leaves else left.pop(0)
            pair = pair[::-1] if place & 1 else pair
            above[place // 2] = pair[0] if pair[1] is None else keys.node("tx", *pair)
        leaves, width = above, (width + 1) // 2
    need(not left, "deed: number of siblings")
    return leaves[0]


def check_inclusion(keys, leaf, indices, siblings, block):
    need(len(indices) == 1 and indices[0] < block["count"], "transaction: index")
    index, width, digest, left = indices[0], block["count"], leaf, list(siblings)
    while width > 1:
        if index ^ 1 < width:
            need(left, "transaction: number of siblings")
            sibling = left.pop(0)
            pair = (sibling, digest) if index & 1 else (digest, sibling)
            digest = keys.node("tx", *pair)
        index, width = index // 2, (width + 1) // 2
    need(not left, "transaction: number of siblings")
    need(digest == block["transactions"], "transaction: root")


def transaction_body(r):
    """The memo, the kind, and of a commit its key and hash, of a name itself and who gets it."""
    need(r.u8() == 1, "transaction: version")
    kind, fields = r.tag(5), None
    if kind == 1:
        r.u64()
        r.bytes(4096)
    if kind == 2:
        r.take(64)
        for _ in range(2):
            r.bytes(152026)
            r.take(64)
    if kind == 3:
        fields = r.digest(), r.digest()
    if kind == 4:
        fields = name_text(r), r.digest()
        r.option(lambda: (r.digest(), r.u64()))
    r.list(lambda: outpoint(r), 4096)
    r.list(lambda: output(r), 4096)
    memo = r.option(r.digest)
    r.option(r.u64)
    return memo, kind, fields


def transaction_ids(chain, data):
    """The id, the witness digest and the memo of a transaction's bytes."""
    r = Reader(data)
    try:
        memo = transaction_body(r)[0]
        body = r.at
        r.list(lambda: r.take(96), 4096)
        r.end()
    except Refused:
        both = derive("primus v1 witness", chain + data)
        return both, both, None
    identity = derive("primus v1 transaction", chain + data[:body])
    return identity, derive("primus v1 witness", chain + data[body:]), memo


# --- Certificates (proofs.md section 3) ---------------------------------------------------------


def check_certificate(chain, committee, head, cert):
    need(cert["epoch"] == head["epoch"], "certificate: epoch")
    need(head["height"] > 0, "certificate: block 0 is not checked here")
    need(head["committee"] == committee_digest(committee), "committee: digest")
    bits = int.from_bytes(cert["signers"], "little")
    size = len(committee)
    need(len(cert["signers"]) == (size + 7) // 8 and bits >> size == 0, "certificate: bitmap")
    signers = [one for place, one in enumerate(committee) if bits >> place & 1]
    part = sum(one["stake"] for one in signers)
    whole = sum(one["stake"] for one in committee)
    need(3 * part > 2 * whole, "certificate: stake")
    content = struct.pack("<QQ", head["epoch"], head["height"]) + head["root"]
    digest = derive("primus v1 attestation", content)
    check_aggregate(chain, digest, [one["event"] for one in signers], cert)
    return part * 100 // whole


def check_aggregate(chain, digest, keys, cert):
    role, nonces = b"primus v1 attestation", cert["nonces"]
    need(len(keys) == len(nonces), "certificate: number of nonces")
    total = int.from_bytes(cert["sum"], "little")
    need(total < ORDER, "certificate: sum")
    pairs = b"".join(key + nonce for key, nonce in zip(keys, nonces))
    every = chain + digest + struct.pack("<I", len(keys)) + pairs + role
    seed = derive("primus v1 aggregate", every)
    result = multiply(BASE, ORDER - total)
    for place, (key, nonce) in enumerate(zip(keys, nonces)):
        weight = derive("primus v1 aggregate weight", seed + struct.pack("<I", place))
        weight = int.from_bytes(weight, "little") % ORDER
        transcript = Merlin(b"SigningContext")
        transcript.append(b"", role)
        transcript.append(b"sign-bytes", chain + digest)
        transcript.append(b"proto-name", b"Schnorr-sig")
        transcript.append(b"sign:pk", key)
        transcript.append(b"sign:R", nonce)
        challenge = int.from_bytes(transcript.challenge(b"sign:c", 64), "little") % ORDER
        member_sum = add(point(nonce), multiply(point(key), challenge))
        result = add(result, multiply(member_sum, weight))
    need(is_identity(result), "certificate: signatures")


# --- ristretto255 (RFC 9496) --------------------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def inverse_root(u, v):
    """Whether u/v is a square, and its non-negative root."""
    r = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    check = v * r * r % P
    square = check in (u % P, -u % P)
    if check in (-u % P, -u * ROOT % P):
        r = r * ROOT % P
    return square, absolute(r)


def absolute(x):
    return -x % P if x & 1 else x


def point(data):
    s = int.from_bytes(data, "little")
    need(s < P and not s & 1, "point: not canonical")
    square = s * s % P
    u1, u2 = (1 - square) % P, (1 + square) % P
    v = (-D * u1 * u1 - u2 * u2) % P
    good, root = inverse_root(1, v * u2 * u2 % P)
    x_den = root * u2 % P
    x = absolute(2 * s * x_den % P)
    y = u1 * root * x_den % P * v % P
    t = x * y % P
    need(good and not t & 1 and y, "point: none")
    return x, y, 1, t


def add(a, b):
    (x1, y1, z1, t1), (x2, y2, z2, t2) = a, b
    e1, e2 = (y1 - x1) * (y2 - x2) % P, (y1 + x1) * (y2 + x2) % P
    c, d = 2 * t1 * t2 * D % P, 2 * z1 * z2 % P
    e, f, g, h = e2 - e1, d - c, d + c, e2 + e1
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(base, scalar):
    result = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            result = add(result, base)
        base, scalar = add(base, base), scalar >> 1
    return result


def is_identity(value):
    x, y, _, _ = value
    return x == 0 or y == 0


BASE = point(bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"))

# --- merlin over STROBE-128 over Keccak-f[1600] -------------------------------------------------

MASK = 2**64 - 1


def rotate(x, by):
    by %= 64
    return (x << by | x >> (64 - by)) & MASK if by else x


def keccak(state):
    a = [[int.from_bytes(state[8 * (x + 5 * y) :][:8], "little") for y in range(5)] for x in range(5)]
    lfsr = 1
    for _ in range(24):
        c = [a[x][0] ^ a[x][1] ^ a[x][2] ^ a[x][3] ^ a[x][4] for x in range(5)]
        for x in range(5):
            d = c[(x + 4) % 5] ^ rotate(c[(x + 1) % 5], 1)
            a[x] = [lane ^ d for lane in a[x]]
        x, y, current = 1, 0, a[1][0]
        for t in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            current, a[x][y] = a[x][y], rotate(current, (t + 1) * (t + 2) // 2)
        for y in range(5):
            row = [a[x][y] for x in range(5)]
            for x in range(5):
                a[x][y] = row[x] ^ (~row[(x + 1) % 5] & MASK & row[(x + 2) % 5])
        for j in range(7):
            lfsr = (lfsr << 1) ^ ((lfsr >> 7) * 0x171)
            if lfsr & 2:
                a[0][0] ^= 1 << ((1 << j) - 1)
    lanes = (a[x][y].to_bytes(8, "little") for y in range(5) for x in range(5))
    return bytearray(b"".join(lanes))


class Merlin:
    RATE = 166

    def __init__(self, label):
        start = b"\x01\xa8\x01\x00\x01\x60STROBEv1.0.2"
        self.state, self.at, self.begun = keccak(bytearray(start + bytes(182))), 0, 0
        self.operate(0x12, b"Merlin v1.0")
        self.append(b"dom-sep", label)

    def run(self):
        self.state[self.at] ^= self.begun
        self.state[self.at + 1] ^= 0x04
        self.state[self.RATE + 1] ^= 0x80
        self.state = keccak(self.state)
        self.at = self.begun = 0

    def absorb(self, data):
        for byte in data:
            self.state[self.at] ^= byte
            self.at += 1
            if self.at == self.RATE:
                self.run()

    def begin(self, flags):
        old, self.begun = self.begun, self.at + 1
        self.absorb(bytes([old, flags]))
        if flags & 0x24 and self.at:
            self.run()

    def operate(self, flags, data):
        self.begin(flags)
        self.absorb(data)

    def append(self, label, message):
        self.operate(0x12, label + struct.pack("<I", len(message)))
        self.operate(0x02, message)

    def challenge(self, label, count):
        self.operate(0x12, label + struct.pack("<I", count))
        self.begin(0x07)
        found = bytearray()
        for _ in range(count):
            found.append(self.state[self.at])
            self.state[self.at] = 0
            self.at += 1
            if self.at == self.RATE:
                self.run()
        return bytes(found)


# --- Files (proofs.md section 5) ----------------------------------------------------------------


def genesis_of(data):
    """The chain id and the first committee."""
    r = Reader(data)
    need(r.u8() == 1, "genesis: version")
    r.take(58)
    peers = r.list(lambda: [r.bytes(64), r.digest(), r.digest(), r.take(64)], 999)
    outputs = r.list(lambda: output(r), 1048576)
    r.end()
    stakes = {peer: 0 for _, peer, _, _ in peers}
    for one in outputs:
        if one["host"] is not None:
            stakes[one["host"]] += one["amount"]
    listed = [{"peer": p, "event": e, "stake": stakes[p]} for _, p, e, _ in peers if stakes[p]]
    listed.sort(key=lambda one: (-one["stake"], one["peer"]))
    committee = sorted(listed[:999], key=lambda one: one["peer"])
    return derive("primus v1 chain", data), committee


def verify(data, genesis):
    """What the file says, in a few words; raises Refused."""
    r = Reader(data)
    need(r.u8() == 1, "version")
    return check_file(r, genesis)[0]


def check_file(r, genesis):
    """What a file says from behind its version to the end, its claim and the body of its answer."""
    chain, committee = genesis_of(genesis)
    need(r.digest() == chain, "chain")
    start = r.at
    name, fields = claim(r)
    need(derive("primus v1 receipt", chain + since(r, start)) == r.digest(), "claim")
    handovers = r.list(lambda: (snapshot(r), members(r)), 256)
    (head, cert), (kind, body) = snapshot(r), answer_body(r)
    r.end()
    epoch = 0
    for (sealing, sealed), following in handovers:
        need(sealing["epoch"] == epoch, "handover: epoch")
        check_certificate(chain, committee, sealing, sealed)
        need(sealing["next"] == committee_digest(following), "handover: committee")
        epoch, committee = epoch + 1, following
    need(head["epoch"] == epoch, "snapshot: epoch")
    percent = check_certificate(chain, committee, head, cert)
    words = check_claim(Keys(chain), name, fields, head, kind, body)
    words = f"{words}; as of block {head['height']}, signed by {percent} %"
    return words, name, body


def verify_receipt(data, genesis):
    """What a receipt says (proofs.md section 6); raises Refused."""
    chain, r = genesis_of(genesis)[0], Reader(data)
    need(r.u8() == 1, "version")
    shown, leaves = [], {}
    for index, (start, name, value, end) in r.list(lambda: (r.u32(), field(r)), 256):
        need(not shown or shown[-1][0] < name, "deed: order of names")
        need(not leaves or max(leaves) < index, "deed: order of places")
        shown.append((name, value))
        leaves[index] = derive("primus v1 deed field", chain + data[start:end])
    count, siblings = r.u32(), r.list(r.digest, 256)
    words, name, body = check_file(r, genesis)
    need(name == "transaction", "deed: another claim")
    need(body[1][0] == 0, "deed: a rejected transaction")
    root = root_by_several(Keys(chain), leaves, count, siblings)
    memo = derive("primus v1 deed", chain + struct.pack("<I", count) + root)
    need(transaction_ids(chain, body[0])[2] == memo, "deed: memo")
    said = ", ".join(f"{name.decode()} = {value!r}" for name, value in shown)
    return f"{len(shown)} of {count} fields: {said}; {words}"


def field(r):
    start = r.at
    r.take(32)
    name, value = r.bytes(64), r.bytes(4096)
    return start, name, value, r.at


def check_claim(keys, name, fields, head, kind, body):
    state, height = head["state"], head["height"]
    due = {"transaction": 3, "block": 4, "consistency": 5, "committee": 6, "record": 7, "commit": 8}
    due["name"] = 9
    need(kind == due.get(name, 2 if name.startswith("output") else 1), "answer: kind")
    at = fields[-1] if name.endswith(" at") else height
    need(at <= height, "claim: above the snapshot")
    if name in ("commit", "name"):
        return (check_commit if name == "commit" else check_name)(keys, *fields, body, head)
    if name == "transaction":
        data, result, indices, siblings, proof = body
        identity, witness, _ = transaction_ids(keys.chain, data)
        need(identity == fields[0], "transaction: id")
        need(result[:8] != b"\x01\0\0\0\x08\0\0\0", "transaction: a later copy")
        block = check_block(keys, proof, head, state)
        check_inclusion(keys, keys.leaf("tx", identity + witness + result), indices, siblings, block)
        applied = "applied" if result[0] == 0 else "rejected"
        return f"{applied} in block {block['height']} at place {indices[0]}"
    if name.startswith("output"):
        created, proof = body
        need(created["outpoint"] == (fields[0], fields[1]), "output: outpoint")
        commitment = derive("primus v1 output commitment", keys.chain + created["bytes"])
        status = bytes(32)
        if proof["spent"] is not None:
            txid, block, place = proof["spent"]
            content = txid + struct.pack("<QI", block, place) + bytes(20)
            status = keyed(keys.key("outs", "spent"), content)
        leaf = keys.leaf("outs", commitment + status)
        root = root_by_path(keys, "outs", proof["position"], proof["size"], leaf, proof["path"])
        check_top(keys, "outs", proof["size"], root, proof, state)
        if at < created["height"]:
            return f"not there yet as of block {at}"
        gone = proof["spent"] is not None and proof["spent"][1] <= at
        return f"{'spent' if gone else 'unspent'} as of block {at}"
    if name.startswith("history") or name == "newest":
        need(name == "newest" or body[0] == 0 or body[1]["record"][1] > 1024, "history: page")
        need(name != "newest" or body[0] == 1, "history: page")
        wanted = min(fields[1], 1024) if name == "newest" else 1024
        count, entries = check_history(keys, fields[0], body, wanted, state)
        shown = sum(one["block"] <= at for one in entries)
        return f"{shown} transactions up to block {at}, {count - len(entries)} older ones"
    if name in ("block", "consistency"):
        block = check_block(keys, body, head, state)
        need(block["height"] == fields[0], "block: height")
        need(name == "block" or block["root"] == fields[1], "block: root")
        return f"block {fields[0]} is its past"
    if name == "committee":
        need(head["next"] == committee_digest(body), "handover: committee")
        need(head["epoch"] + 1 == fields[0], "handover: epoch")
        return f"{len(body)} members in epoch {fields[0]}"
    record = check_record(keys, fields[0], body, state)
    return f"{record[1]} transactions" if record else "no transaction"


def check_vectors(folder):
    genesis = bytes.fromhex(json.loads((folder / "genesis.json").read_text())["genesis"])
    held, kinds = 0, {"file": verify, "receipt": verify_receipt}
    for path in sorted(folder.glob("*.json")):
        vector = json.loads(path.read_text())
        kind = next((kind for kind in kinds if kind in vector), None)
        if kind is None:
            continue
        data = bytes.fromhex(vector[kind])
        print(f"{path.name}: {kinds[kind](data, genesis)}")
        for place in range(0, len(data), max(1, len(data) // 24)):
            changed = bytearray(data)
            changed[place] ^= 1 << place % 8
            try:
                kinds[kind](bytes(changed), genesis)
            except (Refused, IndexError):
                continue
            raise Refused(f"{path.name}: byte {place} changed, and it holds")
        held += 1
    need(held > 0, "no vectors")
    print(f"{held} vectors hold, and none with a byte changed")


def main(arguments):
    try:
        if not arguments:
            check_vectors(pathlib.Path(__file__).parent / "vectors")
        elif len(arguments) == 3 and arguments[1] == "--genesis":
            file, genesis = (pathlib.Path(arguments[place]).read_bytes() for place in (0, 2))
            receipt = arguments[0].endswith(".primusreceipt")
            print(f"VALID    {(verify_receipt if receipt else verify)(file, genesis)}")
        else:
            print(__doc__)
            return 2
    except Refused as failing:
        print(f"INVALID  {failing}")
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
