use super::*;

#[test]
fn a_plan_survives_its_file_and_follows_from_its_seed() {
    for seed in 0..50 {
        for profile in [Profile::Short, Profile::Long, Profile::Beyond] {
            let plan = draw(seed, profile);
            let text = serde_json::to_string(&plan).unwrap();
            assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan, "{text}");
            assert_eq!(draw(seed, profile), plan);
        }
    }
}

#[test]
fn what_goes_wrong_for_good_stays_within_the_claim_and_the_core_has_a_quorum() {
    for seed in 0..500 {
        let plan = draw(seed, Profile::Short);
        let total: u64 = plan.stakes.iter().sum();
        let stake = |peers: &[usize]| -> u64 { peers.iter().map(|peer| plan.stakes[*peer]).sum() };
        let core = plan.heal.unwrap().core;
        assert!(3 * stake(&core) > 2 * total, "seed {seed}");
        let liars: Vec<usize> = plan.liars.iter().map(|liar| liar.peer).collect();
        assert!(3 * stake(&liars) < total || liars.is_empty(), "seed {seed}");
        assert!(liars.iter().all(|liar| !core.contains(liar)), "seed {seed}");
        let beyond = draw(seed, Profile::Beyond);
        let liars: u64 = beyond
            .liars
            .iter()
            .map(|liar| beyond.stakes[liar.peer])
            .sum();
        let total: u64 = beyond.stakes.iter().sum();
        assert!(
            liars == 0 || (3 * liars >= total && 3 * liars < 2 * total),
            "seed {seed}"
        );
    }
}

#[test]
fn every_kind_of_fault_is_drawn_and_left_out() {
    let mut with = std::collections::BTreeMap::<String, u32>::new();
    for seed in 0..200 {
        let plan = draw(seed, Profile::Short);
        let mut kinds: Vec<String> = plan
            .faults
            .iter()
            .map(|fault| serde_json::to_value(fault).unwrap()["trouble"].to_string())
            .collect();
        kinds.sort();
        kinds.dedup();
        for kind in kinds {
            *with.entry(kind).or_default() += 1;
        }
    }
    assert_eq!(with.len(), 13, "{with:?}");
    // Seven kinds of bad lane share a name, so nearly every plan has one.
    let is_odd =
        |(kind, count): (&String, &u32)| *count < 30 || (*count > 180 && !kind.contains("lane"));
    assert!(!with.iter().any(is_odd), "{with:?}");
}
