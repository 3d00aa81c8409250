//! False accusations beside catches, drawn as bars.

use std::fmt::Write as _;

use crate::accused::{Accused, percent};

const LABEL_WIDTH: f64 = 520.0;
const BAR_WIDTH: f64 = 260.0;
const LINE_HEIGHT: f64 = 17.0;
const HEAD: f64 = 44.0;
/// Told apart by people who see no red or green (after Okabe and Ito).
const ACCUSED: &str = "#d55e00";
const CAUGHT: &str = "#0072b2";

/// One bar for each scenario of innocents, as long as the part of them that is accused in some way where it is
/// worst, and one for each attack, as long as the part that is caught.
pub fn svg(accused: &Accused) -> String {
    let innocents = accused.rows.iter().map(|row| (row.scenario.to_owned(), row.worst(), ACCUSED));
    let attacks = accused.caught.iter().map(|(attack, part)| (format!("{attack}, naive"), *part, CAUGHT));
    let bars: Vec<_> = innocents.chain(attacks).collect();
    let (width, height) = (LABEL_WIDTH + BAR_WIDTH + 60.0, HEAD + LINE_HEIGHT * (bars.len() + 1) as f64);
    let title = "Accused of those who do nothing wrong, and caught of those who attack";
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<title>{title}</title>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"12\" y=\"24\" font-size=\"14\">{title}</text>\n"
    );
    for (n, (label, part, color)) in bars.iter().enumerate() {
        let y = HEAD + LINE_HEIGHT * n as f64;
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>\
             <rect x=\"{LABEL_WIDTH}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"12\" fill=\"{color}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{}%</text>",
            LABEL_WIDTH - 8.0,
            y + 10.5,
            part * BAR_WIDTH,
            LABEL_WIDTH + part * BAR_WIDTH + 6.0,
            y + 10.5,
            percent(*part).replace('<', "&lt;"),
        );
    }
    text.push_str("</svg>\n");
    text
}
