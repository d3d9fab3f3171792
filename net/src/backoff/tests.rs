use super::*;

#[test]
fn pauses_double_from_50_ms_to_2_s_and_lose_at_most_half() {
    let mut backoff = Backoff::new(7);
    for whole in [50, 100, 200, 400, 800, 1_600, 2_000, 2_000] {
        let pause = backoff.pause();
        let (least, most) = (
            Duration::from_millis(whole / 2),
            Duration::from_millis(whole),
        );
        assert!(least <= pause && pause <= most, "{pause:?} of {whole} ms");
    }
    backoff.reset();
    assert!(backoff.pause() <= Duration::from_millis(50));
}

#[test]
fn a_seed_gives_its_pauses_again_and_another_seed_gives_others() {
    let pauses = |seed| {
        let mut backoff = Backoff::new(seed);
        [(); 8].map(|()| backoff.pause())
    };
    assert_eq!(pauses(1), pauses(1));
    assert_ne!(pauses(1), pauses(2));
}

#[test]
fn the_draws_are_those_of_splitmix64() {
    // The first outputs of the reference implementation for seed 1234567.
    let mut draws = Draws::new(1_234_567);
    assert_eq!(draws.draw(), 6_457_827_717_110_365_317);
    assert_eq!(draws.draw(), 3_203_168_211_198_807_973);
}
