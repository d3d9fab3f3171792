use super::*;
use crate::fixture::{digest, keys};

fn roots() -> StateRoots {
    let sized = |number| SizedRoot {
        root: digest(number),
        size: number,
    };
    StateRoots {
        block: sized(1),
        key: sized(2),
        name: sized(3),
        outputs: sized(4),
    }
}

fn all(roots: &StateRoots) -> [(StateTree, SizedRoot); 4] {
    [
        (StateTree::Block, roots.block),
        (StateTree::Key, roots.key),
        (StateTree::Name, roots.name),
        (StateTree::Outputs, roots.outputs),
    ]
}

#[test]
fn the_state_root_joins_the_four_sized_roots_in_their_order() {
    let (keys, roots) = (keys(), roots());
    let sized = |key: &Digest, number: u64| {
        let mut content = [0; 64];
        content[..32].copy_from_slice(&digest(number).0);
        content[32] = number as u8;
        keyed(key, &[&content])
    };
    let left = [sized(&keys.block_size, 1), sized(&keys.key_size, 2)];
    let right = [sized(&keys.name_size, 3), sized(&keys.outputs_size, 4)];
    let node = |pair: [Digest; 2]| keyed(&keys.top, &[&pair[0].0, &pair[1].0]);
    assert_eq!(roots.state_root(&keys), node([node(left), node(right)]));
}

#[test]
fn every_tree_is_proven_in_its_own_place_with_its_own_root_and_size_only() {
    let (keys, roots) = (keys(), roots());
    let state = State {
        height: Height::new(1),
        root: roots.state_root(&keys),
    };
    for (tree, sized) in all(&roots) {
        let proof = roots.prove(&keys, tree);
        for (place, _) in all(&roots) {
            let passes = proof.verify(&keys, place, &sized, &state).is_ok();
            assert_eq!(passes, place == tree, "{tree:?} as {place:?}");
        }
        let (root, size) = (sized.root, sized.size);
        let wrong = [
            SizedRoot { root, size: 9 },
            SizedRoot {
                root: digest(9),
                size,
            },
        ];
        for sized in wrong {
            let error = proof.verify(&keys, tree, &sized, &state).unwrap_err();
            assert!(error.to_string().starts_with("state root "), "{error}");
        }
        let swapped = TopProof {
            near: proof.far,
            far: proof.near,
        };
        assert!(swapped.verify(&keys, tree, &sized, &state).is_err());
    }
}
