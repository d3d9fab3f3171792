use alloc::string::String;
use alloc::vec::Vec;

use super::{Drawing, Word, Wrong};

/// The drawing of a text, and what it states.
fn play(text: &str) -> (Result<Drawing, Wrong>, Vec<String>) {
    let mut stated = Vec::new();
    let drawing = Drawing::play(text, &mut |_, words: &[Word]| {
        let words: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        stated.push(words.join(" "));
        Ok(())
    });
    (drawing, stated)
}

/// The votes and other parents of an event by name.
fn links(drawing: &Drawing, name: &str) -> String {
    let header = drawing.dag.event(&drawing.id(name)).unwrap().header();
    let names = |list: &mut dyn Iterator<Item = &crate::event::Reference>| {
        let ids: Vec<_> = list.map(|reference| reference.id).collect();
        drawing.names(&ids)
    };
    let own = names(&mut header.self_parent.iter());
    let votes = names(&mut header.votes.iter());
    format!("{own} | {votes} | {}", names(&mut header.parents.iter()))
}

#[test]
fn lanes_say_the_same_as_lines() {
    let lanes = "
        stakes 2 1 1 1   # A is the largest
        round 0  1        2
        A     o  o+b0.x   o
        B     o  o/D@130  .
        C     o  .        o
        D     o  o:ACD    o
        D'    .  o        o:ABD'
        b0.x = C0
        a1.x = b0.x @120

        seen A2";
    let (drawing, stated) = play(lanes);
    let drawing = drawing.unwrap();
    let lines = Drawing::new(
        &[2, 1, 1, 1],
        "A0
         B0
         C0
         D0
         b0.x = C0
         A1 = A0 B0 C0 D0 +b0.x
         B1 = A0 B0 C0 @130
         D1 = A0 C0 D0
         D1' = A0 B0 C0 D0 ^D0
         a1.x = b0.x @120
         A2 = A1 B1 D1
         C2 = A1 B1 D1
         D2 = A1 B1 D1 ^D1
         D2' = A1 B1 D1' ^D1'",
    );
    for name in "A0 b0.x A1 B1 D1 D1' a1.x A2 C2 D2 D2'".split(' ') {
        assert_eq!(
            drawing.id(name),
            lines.id(name),
            "{}",
            links(&drawing, name)
        );
    }
    assert_eq!(drawing.dag.size(), lines.dag.size());
    assert_eq!(stated, ["seen A2"]);
}

#[test]
fn a_span_of_rounds_draws_its_cell_for_each() {
    let (drawing, _) = play("round 0 1..40 41\n A o o o\n B o o .\n C o o o\n D o . o");
    let drawing = drawing.unwrap();
    assert_eq!(drawing.dag.size(), 4 + 3 * 40 + 3);
    assert_eq!(links(&drawing, "D41"), "D0 | A40 B40 C40 | ");
}

#[test]
fn a_mistake_is_named_with_its_line_and_column() {
    for (text, wanted) in [
        ("A0\n A1 = A0 B0", "line 2, column 10: nothing is named B0"),
        ("A0\n A0", "line 2, column 2: refused: SelfParentRound"),
        ("E0", "line 1, column 1: E0 is of no peer"),
        ("round 0 x", "line 1, column 9: x where a round was due"),
        (
            "round 0 1\nA o",
            "line 2, column 1: lane A has 1 cells of 2",
        ),
        ("round 0 1\nA o x", "line 2, column 5: x is no cell"),
        (
            "round 0\nA o%",
            "line 2, column 4: % says nothing of a root",
        ),
        (
            "round 0 1\nA o o/B",
            "line 2, column 6: no root of B to leave out",
        ),
        (
            "round 0\nA o\nb1.x",
            "line 3, column 1: of a round that is not drawn here",
        ),
        ("A0 @soon", "line 1, column 4: soon where a time was due"),
        (
            "A0\n stakes 1",
            "line 2, column 2: stakes after the first event",
        ),
        (
            "A0 !OwnVote",
            "line 1, column 4: OwnVote is due, not admission",
        ),
        (
            "A0\n A1 = A0 !OwnVote",
            "line 2, column 10: OwnVote is due, not VoteQuorum",
        ),
    ] {
        let (drawing, _) = play(text);
        assert_eq!(drawing.unwrap_err().to_string(), wanted, "{text}");
    }
}

#[test]
fn what_is_refused_as_the_text_says_leaves_no_name() {
    let (drawing, _) = play("A0\n B0\n C0\n A1 = A0 C0 !VoteQuorum\n A1 = A0 B0 C0");
    assert_eq!(drawing.unwrap().dag.size(), 4);
}
