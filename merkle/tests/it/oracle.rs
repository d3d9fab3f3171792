use ct_merkle::mem_backed_tree::MemoryBackedTree;
use primus_merkle::TreeHasher;
use primus_merkle::hash::Rfc6962;
use primus_merkle::log::{LogTree, root_by_inclusion, verify_consistency};
use primus_merkle::path::Path;
use primus_merkle::top::SizedRoot;

use crate::draw::Draw;

fn joined(path: &Path) -> Vec<u8> {
    path.iter().flat_map(|digest| digest.0).collect()
}

#[test]
fn random_proofs_of_larger_logs_agree_with_an_independent_rfc_6962_log() {
    let mut draw = Draw(6962);
    let mut oracle = MemoryBackedTree::<sha2_oracle::Sha256, Vec<u8>>::new();
    let mut tree = LogTree::new(Rfc6962);
    for _ in 0..12 {
        for _ in 0..300 + draw.below(900) {
            let content = draw.number().to_be_bytes();
            tree.append(Rfc6962.leaf(&content));
            oracle.push(content.to_vec());
        }
        let (size, root) = (tree.size(), tree.sized_root().unwrap());
        assert_eq!(root.root.0[..], oracle.root().as_bytes()[..], "size {size}");
        for _ in 0..40 {
            let index = draw.below(size);
            let path = tree.prove_inclusion(index, size).unwrap();
            let proof = oracle.prove_inclusion(usize::try_from(index).unwrap());
            assert_eq!(joined(&path), proof.as_bytes(), "{index} of {size}");
            let leaf = tree.subtree_root(&(index..index + 1)).unwrap();
            let found = root_by_inclusion(&Rfc6962, index, size, leaf, &path);
            assert_eq!(found, Ok(root.root), "{index} of {size}");

            let old = 1 + draw.below(size - 1);
            let path = tree.prove_consistency(old, size).unwrap();
            let proof = oracle.prove_consistency(usize::try_from(size - old).unwrap());
            assert_eq!(joined(&path), proof.as_bytes(), "{old} to {size}");
            let old = SizedRoot {
                root: tree.root_at(old).unwrap(),
                size: old,
            };
            let checked = verify_consistency(&Rfc6962, &old, &root, &path);
            assert_eq!(checked, Ok(()), "{} to {size}", old.size);
        }
    }
}
