use dregs_core::agent::{Kind, contradiction, kind};
use std::io::Read;
fn main() {
    let mut t = String::new();
    std::io::stdin().read_to_string(&mut t).unwrap();
    let want = std::env::args().nth(1).unwrap(); // a = print automated, n = print not automated, c = counts, k = all kinds
    let lines: Vec<_> = t.lines().filter(|l| !l.trim().is_empty()).collect();
    let mut n = 0;
    let begun = std::time::Instant::now();
    for l in &lines {
        let (k, name) = kind(l);
        let auto = k.is_automated() || contradiction(l).is_some();
        n += auto as usize;
        if want == "k" || (want == "a" && auto) || (want == "n" && !auto) {
            println!("{k:?}\t{name:?}\t{l}");
        }
        let _ = Kind::Browser;
    }
    eprintln!(
        "{n} of {} automated = {:.4}; {:.2} us",
        lines.len(),
        n as f64 / lines.len() as f64,
        begun.elapsed().as_secs_f64() * 1e6 / lines.len() as f64
    );
}
