use super::*;

struct Rows(BTreeMap<(Table, Vec<u8>), Vec<u8>>);

impl Store for Rows {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.0.get(&(table, key.to_vec())).cloned())
    }

    fn range(
        &self,
        table: Table,
        from: &[u8],
        to: &[u8],
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let rows = self.0.range((table, from.to_vec())..(table, to.to_vec()));
        Ok(rows
            .take(limit)
            .map(|((_, key), value)| (key.clone(), value.clone()))
            .collect())
    }
}

#[test]
fn an_overlay_reads_as_if_its_batch_were_applied() {
    let base = Rows(
        (0..9)
            .map(|key| ((Table::Output, vec![key]), vec![key]))
            .collect(),
    );
    let mut overlay = Overlay::new(&base);
    for key in 0..4 {
        overlay.batch.delete(Table::Output, vec![key]);
    }
    overlay.batch.put(Table::Output, vec![5], vec![50]);
    overlay.batch.put(Table::Output, vec![20], vec![20]);
    overlay.batch.put(Table::Key, vec![6], vec![60]);
    let rows = |limit| overlay.range(Table::Output, &[0], &[255], limit).unwrap();
    let keys = |limit| {
        rows(limit)
            .into_iter()
            .map(|(key, _)| key[0])
            .collect::<Vec<_>>()
    };
    assert_eq!(keys(3), [4, 5, 6]);
    assert_eq!(keys(100), [4, 5, 6, 7, 8, 20]);
    assert_eq!(rows(2)[1].1, [50]);
    assert_eq!(overlay.get(Table::Output, &[2]).unwrap(), None);
    assert_eq!(overlay.get(Table::Output, &[8]).unwrap(), Some(vec![8]));
    assert_eq!(overlay.range(Table::Output, &[9], &[1], 9).unwrap(), []);
}

#[test]
fn the_later_of_two_batches_wins_whichever_is_longer() {
    for (earlier, later) in [(1, 5), (5, 1), (3, 3)] {
        let batch = |keys, value| {
            let mut batch = Batch::new();
            for key in 0..keys {
                batch.put(Table::Meta, vec![key], vec![value]);
            }
            batch
        };
        let mut both = batch(earlier, 1);
        both.append(batch(later, 2));
        let values: Vec<u8> = both
            .writes()
            .map(|(_, _, value)| value.unwrap()[0])
            .collect();
        let wanted: Vec<u8> = (0..earlier.max(later))
            .map(|key| if key < later { 2 } else { 1 })
            .collect();
        assert_eq!(values, wanted, "{earlier} then {later}");
    }
}
