use primitives::Digest;
use primus_merkle::top::SizedRoot;

use crate::draw::digest;
use crate::world::World;

#[test]
fn one_leaf_one_old_root_or_one_count_changed_changes_the_state_root() {
    let world = World::new(50, 1);
    let root = world.state.root;
    let mut all = vec![root];
    let mut differs = |roots: primus_merkle::top::StateRoots, what: &str| {
        let changed = roots.state_root(&world.keys);
        assert!(!all.contains(&changed), "{what}");
        all.push(changed);
    };
    for (what, change) in [
        (
            "root",
            (|sized: &mut SizedRoot| sized.root.0[31] ^= 1) as fn(&mut SizedRoot),
        ),
        ("more", |sized| sized.size += 1),
        ("fewer", |sized| sized.size -= 1),
    ] {
        let mut roots = world.roots;
        change(&mut roots.block);
        differs(roots, &format!("block {what}"));
        let mut roots = world.roots;
        change(&mut roots.key);
        differs(roots, &format!("key {what}"));
        let mut roots = world.roots;
        change(&mut roots.name);
        differs(roots, &format!("name {what}"));
        let mut roots = world.roots;
        change(&mut roots.outputs);
        differs(roots, &format!("outputs {what}"));
    }
    // A leaf anywhere in any tree.
    for (what, changed) in [
        (
            "header",
            World::with(50, 1, |leaves| leaves.headers[0] = digest(1)),
        ),
        (
            "entry",
            World::with(50, 1, |leaves| leaves.entries[7].txid = digest(2)),
        ),
        (
            "count",
            World::with(50, 1, |leaves| leaves.entries.truncate(39)),
        ),
        (
            "output",
            World::with(50, 1, |leaves| leaves.commitments[49] = digest(3)),
        ),
        ("spend", World::with(50, 1, |leaves| leaves.spent[0] = None)),
    ] {
        assert_ne!(changed.state.root, root, "{what}");
    }
    assert_eq!(World::new(50, 1).state.root, root);
    assert_ne!(root, Digest::ZERO);
}
