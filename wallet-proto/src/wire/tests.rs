use ledger::subject::Subject;
use ledger::tx::Outpoint;
use ledger::{Outcome, Reason};
use primitives::Digest;
use primitives::codec::{Bytes, List};
use primitives::digest::derive;
use primitives::domain::Domain;
use primitives::keys::PublicKey;
use primitives::units::{Epoch, Height};
use proptest::prelude::*;

use super::*;
use crate::certificate::attestation_digest;
use crate::proof_file::ProofFile;
use crate::reply::{Code, Refusal, Reply, Stage, Step};
use crate::request::{Page, Question, Report, Request};
use crate::snapshot::Manifest;
use crate::test_chain::{TestChain, genesis, public};

fn requests() -> Vec<Question> {
    let key = PublicKey([3; 32]);
    let transactions = List::new(vec![Bytes::new(vec![1, 2, 3]).unwrap()]).unwrap();
    let history = |page| Request::History {
        of: Subject::Key(key),
        page,
    };
    let requests = [
        Request::Head,
        Request::Submit {
            transactions,
            report: Report::All,
        },
        Request::Track {
            ids: List::new(vec![Digest([4; 32])]).unwrap(),
            report: Report::None,
        },
        history(Page::All),
        history(Page::Newest { count: 7 }),
        history(Page::From { index: 5, count: 6 }),
        Request::Output {
            outpoint: Outpoint {
                transaction: Digest([5; 32]),
                index: 9,
            },
        },
        Request::Transaction {
            id: Digest([6; 32]),
        },
        Request::Block {
            height: Height::new(10),
        },
        Request::Consistency {
            old: Height::new(11),
        },
        Request::Committee {
            epoch: Epoch::new(12),
        },
        Request::Record {
            of: Subject::Key(key),
        },
        Request::Commit {
            key,
            height: Height::new(13),
        },
        Request::Record {
            of: Subject::Name("anna".parse().unwrap()),
        },
        Request::Name {
            name: "anna".parse().unwrap(),
            height: Some(Height::new(14)),
        },
        Request::Manifest,
        Request::Chunk {
            height: Height::new(15),
            index: 16,
        },
    ];
    let held = [None, Some(Height::new(13))];
    let question = |(place, request)| Question {
        held: held[place % 2],
        request,
    };
    requests.into_iter().enumerate().map(question).collect()
}

/// Replies of every kind, answers included.
fn replies() -> Vec<Reply> {
    let mut chain = TestChain::new(genesis(50, &[100, 50]));
    let payment = chain.payment(50, &chain.coins(50)[..1], public(51), 30);
    chain.settle(std::slice::from_ref(&payment));
    chain.settle(&[]);
    let id = chain.id(&payment);
    let key = public(50);
    let stages = vec![
        Stage::Refused {
            refusal: Refusal::new(Code::Busy, "later"),
        },
        Stage::Seen,
        Stage::Endorsed,
        Stage::Official,
        Stage::Final {
            height: Height::new(1),
            index: 2,
            outcome: Outcome::rejected(Reason::NotOwner),
        },
        Stage::Proven {
            height: Height::new(1),
        },
    ];
    let steps = (0..)
        .zip(stages)
        .map(|(position, stage)| Step { position, stage });
    let asked = [
        Request::Head,
        Request::Transaction { id },
        Request::History {
            of: Subject::Key(key),
            page: Page::All,
        },
        Request::History {
            of: Subject::Key(key),
            page: Page::Newest { count: 1 },
        },
        Request::History {
            of: Subject::Key(key),
            page: Page::From { index: 1, count: 1 },
        },
        Request::Output {
            outpoint: chain.coins(50)[0].outpoint,
        },
        Request::Block {
            height: Height::new(1),
        },
        Request::Consistency {
            old: Height::new(2),
        },
        Request::Record {
            of: Subject::Key(key),
        },
    ];
    let answers = asked
        .iter()
        .map(|request| Reply::Answer(Box::new(chain.answer(request).unwrap())));
    let mut replies: Vec<_> = answers.collect();
    replies.push(Reply::Error(Refusal::new(Code::NotFound, "no such thing")));
    replies.push(Reply::Progress(List::new(steps.collect()).unwrap()));
    replies.push(Reply::Manifest(Box::new(Manifest {
        version: 1,
        chain: Digest([7; 32]),
        height: Height::new(9),
        root: Digest([8; 32]),
        rows: 3,
        bytes: 4,
        chunks: List::new(vec![Digest([6; 32])]).unwrap(),
    })));
    replies.push(Reply::Chunk(Bytes::new(vec![1, 2, 3]).unwrap()));
    replies
}

fn digest_of<T: Canonical>(messages: &[T]) -> String {
    let bytes: Vec<_> = messages
        .iter()
        .flat_map(|message| to_bytes(message).unwrap())
        .collect();
    derive(Domain::Audit, &[&bytes]).to_string()
}

#[test]
fn requests_and_replies_keep_their_bytes() {
    let head = Question::from(Request::Head);
    assert_eq!(to_bytes(&head).unwrap(), [1, 0, 0, 0, 0, 0]);
    let held = Some(Height::new(7));
    let golden = [1, 1, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(to_bytes(&Question { held, ..head }).unwrap(), golden);
    let golden = "00151e409caa36b1af0f6149e24725044edbd80e53b3ff3165d0ff2135b3b142";
    assert_eq!(digest_of(&requests()), golden, "requests");
    let refusal = Reply::Error(Refusal::new(Code::NotFound, "no"));
    let golden = [1, 0, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, b'n', b'o'];
    assert_eq!(to_bytes(&refusal).unwrap(), golden);
    let unsigned: Vec<_> = replies().into_iter().rev().take(4).collect();
    assert_eq!(
        digest_of(&unsigned),
        "e0c76afd207d67a45e73ebe8535591e023bddb85ee7033c42bc1d3e6592ba19a",
        "replies"
    );
}

#[test]
fn what_an_attestation_signs_is_what_peers_sign() {
    let (epoch, height, root) = (Epoch::new(3), Height::new(7), Digest([9; 32]));
    let ours = attestation_digest(epoch, height, &root);
    assert_eq!(ours, dag::event::attestation_digest(epoch, height, &root));
    let golden = "bf65f22f40737d5fae3e7a61e7154a45149a4d8d3cd7682ba098e0542605fd38";
    assert_eq!(ours.to_string(), golden);
}

#[test]
fn every_message_survives_the_way_and_other_versions_do_not() {
    for request in requests() {
        let mut bytes = to_bytes(&request).unwrap();
        assert_eq!(from_bytes::<Question>(&bytes).unwrap(), request);
        bytes[0] = 2;
        let refused = from_bytes::<Question>(&bytes);
        assert_eq!(refused, Err(Error::Version { found: 2 }));
    }
    for reply in replies() {
        assert_eq!(
            from_bytes::<Reply>(&to_bytes(&reply).unwrap()).unwrap(),
            reply
        );
    }
    assert_eq!(from_bytes::<Reply>(&[]), Err(Error::Empty));
}

/// Whatever decodes has exactly the bytes it came from.
fn check_canonical<T: Canonical>(bytes: &[u8]) {
    if let Ok(message) = from_bytes::<T>(bytes) {
        assert_eq!(to_bytes(&message).unwrap(), bytes);
    }
}

fn check_all(bytes: &[u8]) {
    check_canonical::<Question>(bytes);
    check_canonical::<Reply>(bytes);
    check_canonical::<ProofFile>(bytes);
}

proptest! {
    #[test]
    fn random_bytes_never_panic_nor_decode_to_a_second_form(
        mut bytes in prop::collection::vec(any::<u8>(), 0..512),
        version in any::<bool>(),
    ) {
        if let Some(first) = bytes.first_mut().filter(|_| version) {
            *first = VERSION;
        }
        check_all(&bytes);
    }

    #[test]
    fn small_numbers_reach_deep_into_the_decoders(
        bytes in prop::collection::vec(0_u8..4, 0..256),
    ) {
        check_all(&[&[VERSION], &bytes[..]].concat());
    }
}

#[test]
fn mutated_messages_never_panic_nor_decode_to_a_second_form() {
    let mut all: Vec<_> = requests()
        .iter()
        .map(|request| to_bytes(request).unwrap())
        .collect();
    all.extend(replies().iter().map(|reply| to_bytes(reply).unwrap()));
    for bytes in all {
        for position in 0..bytes.len() {
            for flip in [1, 0x80, 0xff] {
                let mut mutated = bytes.clone();
                mutated[position] ^= flip;
                check_all(&mutated);
            }
            check_all(&bytes[..position]);
        }
    }
}

#[test]
fn a_refusal_prints_one_clean_line() {
    let cases = [
        ("no such thing", "not found: no such thing"),
        ("", "not found"),
        ("two\nlines", "not found"),
        ("\u{1b}[2J", "not found"),
    ];
    for (text, printed) in cases {
        assert_eq!(Refusal::new(Code::NotFound, text).to_string(), printed);
    }
    let long = Refusal::new(Code::Busy, &"x".repeat(1_000));
    assert_eq!(long.text.len(), crate::reply::TEXT_BYTES_MAX);
}
