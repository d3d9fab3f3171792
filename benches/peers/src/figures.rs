//! The table of one size, and each figure as a multiple of ours.

/// What was measured of one tree.
#[derive(Debug, Clone)]
pub struct Figures {
    pub name: &'static str,
    pub keys: usize,
    pub inserts_per_s: Option<f64>,
    pub updates_per_s: Option<f64>,
    pub root_ms: Option<f64>,
    /// Bytes written to the disk for each update.
    pub disk: Option<f64>,
    pub present: Proof,
    pub absent: Option<Proof>,
}

/// Means over the proofs of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Proof {
    pub bytes: f64,
    pub made_us: f64,
    pub checked_us: f64,
}

type Column = (&'static str, fn(&Figures) -> Option<f64>);

const COLUMNS: [Column; 10] = [
    ("inserts/s", |row| row.inserts_per_s),
    ("updates/s", |row| row.updates_per_s),
    ("root ms", |row| row.root_ms),
    ("disk B/update", |row| row.disk),
    ("proof B", |row| Some(row.present.bytes)),
    ("made us", |row| Some(row.present.made_us)),
    ("checked us", |row| Some(row.present.checked_us)),
    ("absence B", |row| row.absent.map(|proof| proof.bytes)),
    ("made us", |row| row.absent.map(|proof| proof.made_us)),
    ("checked us", |row| row.absent.map(|proof| proof.checked_us)),
];

/// Prints the rows, then what each is as a multiple of the first that is as durable.
pub fn print(rows: &[Figures]) {
    let Some(first) = rows.first() else {
        return;
    };
    println!("\n## {} keys, batches of 5,000\n", first.keys);
    head();
    for row in rows {
        line(row, |figure| COLUMNS[figure].1(row).map(plain));
    }
    println!("\nAs multiples of ours (the durable one for whoever is durable):\n");
    head();
    let ours: Vec<_> = rows
        .iter()
        .filter(|row| row.name.starts_with("primus"))
        .collect();
    for row in rows.iter().filter(|row| !row.name.starts_with("primus")) {
        let ours = ours
            .iter()
            .find(|ours| ours.disk.is_some() == row.disk.is_some());
        line(row, |figure| {
            let of = COLUMNS[figure].1;
            Some(format!("{:.2}", of(row)? / of(ours?)?))
        });
    }
}

fn head() {
    let names: Vec<_> = COLUMNS.iter().map(|(name, _)| *name).collect();
    println!("| tree | {} |", names.join(" | "));
    println!("|---|{}", "---:|".repeat(COLUMNS.len()));
}

fn line(row: &Figures, cell: impl Fn(usize) -> Option<String>) {
    let cells = (0..COLUMNS.len()).map(|figure| cell(figure).unwrap_or_else(|| "-".to_owned()));
    println!(
        "| {} | {} |",
        row.name,
        cells.collect::<Vec<_>>().join(" | ")
    );
}

/// As many digits as mean something.
pub fn plain(figure: f64) -> String {
    match figure {
        100.0.. => format!("{figure:.0}"),
        _ => format!("{figure:.2}"),
    }
}
