use super::*;

fn row(number: u8, value: usize) -> Row {
    Row::new(Table::Output, vec![number; 8], vec![number; value]).unwrap()
}

#[test]
fn rows_are_cut_where_a_chunk_is_full_and_come_back_in_order() {
    let all: Vec<Row> = (0..40).map(|number| row(number, 60_000)).collect();
    let mut cutter = Cutter::default();
    let mut chunks: Vec<Vec<u8>> = Vec::new();
    for row in all.clone() {
        chunks.extend(cutter.push(row).unwrap());
    }
    chunks.extend(cutter.cut().unwrap());
    assert_eq!(cutter.cut(), Ok(None));
    assert_eq!(chunks.len(), 5, "eight rows of 60,017 bytes to each");
    assert!(chunks.iter().all(|chunk| chunk.len() <= CHUNK_BYTES_MAX));
    let back: Vec<Row> = chunks
        .iter()
        .flat_map(|chunk| rows(chunk).unwrap())
        .collect();
    assert_eq!(back, all);
}

#[test]
fn a_chunk_of_the_smallest_rows_is_cut_before_it_has_too_many() {
    let mut cutter = Cutter::default();
    let empty = || Row::new(Table::Meta, Vec::new(), Vec::new()).unwrap();
    let cut = (0..ROWS_MAX + 1).find_map(|_| cutter.push(empty()).unwrap());
    let cut = cut.unwrap();
    assert!(cut.len() <= CHUNK_BYTES_MAX);
    assert_eq!(rows(&cut).unwrap().len(), 58_253);
}

#[test]
fn chunks_and_manifests_keep_their_bytes() {
    let mut cutter = Cutter::default();
    let row = Row::new(Table::KeyLog, vec![1, 2], vec![3]).unwrap();
    assert_eq!(cutter.push(row.clone()), Ok(None));
    let chunk = cutter.cut().unwrap().unwrap();
    assert_eq!(chunk, [1, 0, 0, 0, 4, 2, 0, 0, 0, 1, 2, 1, 0, 0, 0, 3]);
    assert_eq!(row.into_parts(), Ok((Table::KeyLog, vec![1, 2], vec![3])));
    let golden = "41362dc42c5718d5dc33cee0a78a2138a8b7381e767f841776f5206cfab93bbc";
    assert_eq!(chunk_digest(&chunk).to_string(), golden);
    let manifest = Manifest {
        version: 1,
        chain: Digest([7; 32]),
        height: Height::new(9),
        root: Digest([8; 32]),
        rows: 3,
        bytes: 4,
        chunks: List::new(vec![Digest([6; 32])]).unwrap(),
    };
    let bytes = codec::encode(&manifest).unwrap();
    let golden = [
        &[1][..],
        &[7; 32],
        &[9, 0, 0, 0, 0, 0, 0, 0],
        &[8; 32],
        &[3, 0, 0, 0, 0, 0, 0, 0],
        &[4, 0, 0, 0, 0, 0, 0, 0],
        &[1, 0, 0, 0],
        &[6; 32],
    ];
    assert_eq!(bytes, golden.concat());
    assert_eq!(codec::decode::<Manifest>(&bytes).unwrap(), manifest);
}

#[test]
fn rows_of_other_tables_are_refused() {
    let foreign = Row::new(Table::Event, vec![1], vec![2]);
    assert_eq!(foreign, Err(Error::OtherKind));
    let chunk = [1, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0];
    let row = rows(&chunk).unwrap().remove(0);
    assert_eq!(row.into_parts(), Err(Error::OtherKind));
    assert!(rows(&chunk[..12]).is_err());
}
