//! A chain of many transactions through the ledger, and how small its proofs are: what a wallet
//! loads for one payment, and what it stores.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use ledger::subject::Subject;
use ledger::tx::draft::{Coin, TransferDraft};
use ledger::tx::{Outpoint, Output, genesis_transaction};
use primitives::codec::{self, List};
use primitives::keys::{PublicKey, SecretKey, Signer};
use primitives::limits::PEERS_MAX;
use primitives::units::{Amount, Height};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::SeedableRng;
use wallet_proto::proof_file::{self, Claim, ProofFile};
use wallet_proto::reply::Reply;
use wallet_proto::request::{Page, Question, Request};
use wallet_proto::test_chain::{TestChain, genesis};
use wallet_proto::{Trust, wire};
use zeroize::Zeroizing;

use crate::timed;

/// Owners that pay once in every block, each with change for itself.
const PAYERS: u32 = 2_000;
/// Payments that the wallet measured here got.
const OWN: usize = 10;

/// Builds a chain of `wanted` payments to as many keys and prints the sizes.
pub(crate) fn run(wanted: u32) -> Result<()> {
    let blocks = wanted.div_ceil(PAYERS).max(u32::try_from(OWN)?);
    let payers: Vec<_> = (0..PAYERS).map(key).collect();
    let own = key(u32::MAX);
    let mut start = genesis(1, &[]);
    (start.parameters.lag, start.parameters.period) = (1_000, 4_096);
    let coins = payers
        .iter()
        .map(|payer| Output::new(payer.public(), Amount::new(1 << 30)));
    let first = start.outputs.len();
    let outputs: Vec<_> = start.outputs.iter().copied().chain(coins).collect();
    start.outputs = List::new(outputs)?;
    let mut chain = TestChain::new(start);
    let transaction = genesis_transaction(chain.ledger.chain());
    let mut purses = Vec::new();
    for (index, payer) in (first..).zip(&payers) {
        let index = u32::try_from(index)?;
        purses.push(Coin {
            outpoint: Outpoint { transaction, index },
            output: Output::new(payer.public(), Amount::new(1 << 30)),
        });
    }
    let (seconds, ids) = timed(|| grow(&mut chain, &payers, &mut purses, blocks, own.public()));
    let ids = ids?;
    let counts = chain.ledger.header().counts;
    println!(
        "chain::grow/transactions={}  {:.0} transactions/s, {blocks} blocks, {} outputs, {} keys",
        counts.applied,
        f64::from(u32::try_from(counts.applied)?) / seconds,
        counts.outputs,
        counts.keys,
    );
    sizes(&chain, &own.public(), &ids)
}

/// Each block one payment of each payer to a new key; ten of them to `own`. Returns their ids.
fn grow(
    chain: &mut TestChain,
    payers: &[SecretKey<ChaCha20Rng>],
    purses: &mut [Coin],
    blocks: u32,
    own: PublicKey,
) -> Result<Vec<primitives::Digest>> {
    let (mut ids, mut fresh) = (Vec::new(), PAYERS);
    let every = blocks.div_euclid(u32::try_from(OWN)?);
    for block in 0..blocks {
        let mut transactions = Vec::new();
        for (payer, purse) in payers.iter().zip(purses.iter_mut()) {
            let mine = transactions.is_empty() && block % every == 0 && ids.len() < OWN;
            let to = if mine { own } else { key(fresh).public() };
            fresh += 1;
            let left = purse.output.amount.minus(Amount::new(8))?;
            let change = Output::new(payer.public(), left);
            let draft = TransferDraft {
                inputs: vec![*purse],
                outputs: vec![Output::new(to, Amount::new(7)), change],
                ..TransferDraft::default()
            };
            let signed = draft.sign(&[payer], chain.ledger.chain())?;
            let transaction = signed.id(chain.ledger.chain())?;
            if mine {
                ids.push(transaction);
            }
            let index = 1;
            *purse = Coin {
                outpoint: Outpoint { transaction, index },
                output: change,
            };
            transactions.push(codec::encode(&signed)?);
        }
        for (_, outcome) in chain.settle(&transactions) {
            ensure!(outcome.is_applied(), "{outcome}");
        }
    }
    Ok(ids)
}

fn sizes(chain: &TestChain, own: &PublicKey, ids: &[primitives::Digest]) -> Result<()> {
    let trust = Trust::new(&chain.genesis)?;
    let (key, id) = (*own, ids[0]);
    let (transaction, index) = (id, 0);
    let outpoint = Outpoint { transaction, index };
    let height = Height::new(2);
    let root = chain.snapshots[2].header.root()?;
    let stranger = PublicKey([77; 32]);
    let kinds = BTreeMap::from([
        ("transaction", Claim::Transaction { id }),
        ("output", Claim::Output { outpoint }),
        (
            "history of 10",
            Claim::History {
                of: Subject::Key(key),
            },
        ),
        (
            "newest 1 of 10",
            Claim::Newest {
                of: Subject::Key(key),
                count: 1,
            },
        ),
        (
            "record",
            Claim::Record {
                of: Subject::Key(key),
            },
        ),
        (
            "record, absent",
            Claim::Record {
                of: Subject::Key(stranger),
            },
        ),
        ("block", Claim::Block { height }),
        ("consistency", Claim::Consistency { height, root }),
    ]);
    let certificate = certificate_bytes(4, 4);
    for (name, claim) in kinds {
        let answer = chain.answer(&claim.request()).map_err(anyhow::Error::msg)?;
        let body = wire::to_bytes(&Reply::Answer(Box::new(answer.clone())))?.len();
        let file = proof_file::to_bytes(&ProofFile::new(*trust.chain(), claim, vec![], answer)?)?;
        let (seconds, verdict) = timed(|| proof_file::verify(&file, &trust));
        verdict?;
        println!(
            "chain::proof/{name}  {} bytes as a file, {body} as a reply, of which {certificate} \
             are the certificate of 4 peers; verified in {:.0} us",
            file.len(),
            seconds * 1e6,
        );
    }
    per_payment(chain, own, ids, certificate)
}

/// What a wallet loads to learn of one payment it got: that the chain goes on, the new entry, and
/// the transaction. The first comes with a certificate; the second with another one if a block came in
/// between, else with none; the third, of a block that the wallet holds by then, with none.
fn per_payment(
    chain: &TestChain,
    own: &PublicKey,
    ids: &[primitives::Digest],
    certificate: usize,
) -> Result<()> {
    let key = *own;
    let requests = [
        Request::Consistency {
            old: Height::new(2),
        },
        Request::History {
            of: Subject::Key(key),
            page: Page::From {
                index: 9,
                count: 1_024,
            },
        },
        Request::Transaction { id: ids[9] },
    ];
    let held = Some(chain.ledger.height());
    let mut loaded = 0_usize;
    for request in requests {
        let question = Question { held, request };
        let answer = chain.answer_to(&question).map_err(anyhow::Error::msg)?;
        loaded += wire::to_bytes(&question)?.len() + 8;
        loaded += wire::to_bytes(&Reply::Answer(Box::new(answer)))?.len();
    }
    // Each answer was counted with an empty certificate.
    let empty = certificate_bytes(0, 0);
    let claim = Claim::Transaction { id: ids[9] };
    let answer = chain.answer(&claim.request()).map_err(anyhow::Error::msg)?;
    let file = ProofFile::new(*chain.ledger.chain(), claim, vec![], answer)?;
    let file = proof_file::to_bytes(&file)?.len();
    for peers in [4, 100, PEERS_MAX] {
        let whole = certificate_bytes(peers, peers * 2 / 3 + 1);
        let idle = loaded + whole - empty;
        let busy = idle + whole - empty;
        println!(
            "chain::wallet/peers={peers}  {idle} bytes a payment in 3 answers, {busy} if a block comes in \
             between; {HOME_BYTES} bytes stored for any number of own transactions; a proof file of one has {} \
             bytes",
            file + whole - certificate,
        );
    }
    Ok(())
}

/// The wallet's home: key, settings, head, an outbox of none. Its transactions stay with the hosts,
/// which cannot withhold one.
const HOME_BYTES: usize = 65 + 512 + 49 + 5;

/// Bytes of a certificate: epoch, bitmap, nonces, sum (docs/spec/proofs.md section 3).
fn certificate_bytes(peers: usize, signers: usize) -> usize {
    8 + 4 + peers.div_ceil(8) + 4 + 32 * signers + 32
}

/// The key of a number.
fn key(number: u32) -> SecretKey<ChaCha20Rng> {
    let mut seed = Zeroizing::new([0; 32]);
    seed[..4].copy_from_slice(&number.to_le_bytes());
    SecretKey::from_seed(&seed, ChaCha20Rng::from_seed([3; 32]))
}
