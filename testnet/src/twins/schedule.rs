//! Every way to part five processes three times over, up to symmetry.

/// Processes: the two copies of one key come first, then the peers that have a key each.
pub(super) const PROCESSES: usize = 5;
/// How often they are parted, one parting after another.
const PARTINGS: usize = 3;

/// For each process the number of the group that it is in; groups are numbered by their first member.
pub(super) type Parting = [u8; PROCESSES];
/// One parting after another.
pub(super) type Schedule = [Parting; PARTINGS];

/// All schedules that differ by more than the names of the copies and of the other peers, in order.
pub(super) fn schedules() -> Vec<Schedule> {
    let partings = partings();
    let renamings = renamings();
    let mut schedules = Vec::new();
    for first in &partings {
        for second in &partings {
            for third in &partings {
                let schedule = [*first, *second, *third];
                let is_least = renamings
                    .iter()
                    .all(|names| schedule <= schedule.map(|parting| renamed(parting, names)));
                if is_least {
                    schedules.push(schedule);
                }
            }
        }
    }
    schedules
}

/// Every set partition, as strings in which no number comes before all smaller ones have.
fn partings() -> Vec<Parting> {
    let mut partings = vec![[0; PROCESSES]];
    for process in 1..PROCESSES {
        partings = partings
            .iter()
            .flat_map(|parting| {
                let groups = parting[..process].iter().max().map_or(0, |last| last + 1);
                (0..=groups).map(|group| {
                    let mut longer = *parting;
                    longer[process] = group;
                    longer
                })
            })
            .collect();
    }
    partings
}

/// Every way to exchange the copies with one another, and the other peers.
fn renamings() -> Vec<[usize; PROCESSES]> {
    let copies = [[0, 1], [1, 0]];
    let others = [
        [2, 3, 4],
        [2, 4, 3],
        [3, 2, 4],
        [3, 4, 2],
        [4, 2, 3],
        [4, 3, 2],
    ];
    let joined = |[a, b]: [usize; 2], [c, d, e]: [usize; 3]| [a, b, c, d, e];
    copies
        .iter()
        .flat_map(|two| others.iter().map(|three| joined(*two, *three)))
        .collect()
}

/// The parting with process `names[p]` in the place of `p`, its groups numbered anew.
fn renamed(parting: Parting, names: &[usize; PROCESSES]) -> Parting {
    let mut numbers = [None; PROCESSES];
    let mut groups = 0;
    names.map(|name| {
        *numbers[usize::from(parting[name])].get_or_insert_with(|| {
            groups += 1;
            groups - 1
        })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_52_partings_and_every_schedule_is_a_renaming_of_one_that_is_listed() {
        let partings = partings();
        assert_eq!(partings.len(), 52);
        let mut covered = BTreeSet::new();
        let schedules = schedules();
        for schedule in &schedules {
            for names in renamings() {
                covered.insert(schedule.map(|parting| renamed(parting, &names)));
            }
        }
        assert_eq!(covered.len(), 52 * 52 * 52);
        // A twelfth, and those that some renaming leaves as they are.
        assert_eq!(schedules.len(), 14_894);
    }
}
