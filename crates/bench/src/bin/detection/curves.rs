//! Curves of found against false positives, drawn as SVG.

use std::fmt::Write as _;

/// One curve: its label, and what was scored.
pub struct Curve {
    pub label: String,
    pub points: Vec<(f64, f64)>,
}

const SIDE: f64 = 320.0;
const MARGIN: f64 = 48.0;
const LEGEND_WIDTH: f64 = 260.0;
const LINE_HEIGHT: f64 = 16.0;
/// Told apart in dark and light, and by people who see no red or green (after Okabe and Ito).
const COLORS: [&str; 8] =
    ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999", "#7f3c8d"];
/// Points kept of a curve.
const POINTS_MAX: usize = 200;

impl Curve {
    /// The part of the wanted that is found at each part of the others that is taken for it.
    pub fn new(label: impl Into<String>, scored: &[(f64, bool)]) -> Self {
        let mut sorted = scored.to_vec();
        sorted.sort_by(|one, other| other.0.total_cmp(&one.0));
        let wanted = sorted.iter().filter(|(_, wanted)| *wanted).count() as f64;
        let others = sorted.len() as f64 - wanted;
        let (mut found, mut taken) = (0.0, 0.0);
        let mut points = vec![(0.0, 0.0)];
        for equal in sorted.chunk_by(|one, other| one.0 == other.0) {
            let hits = equal.iter().filter(|(_, wanted)| *wanted).count() as f64;
            found += hits;
            taken += equal.len() as f64 - hits;
            points.push((taken / others, found / wanted));
        }
        let step = points.len().div_ceil(POINTS_MAX);
        let last = points.len() - 1;
        let kept = points.iter().enumerate().filter(|(n, _)| n % step == 0 || *n == last);
        Self { label: label.into(), points: kept.map(|(_, point)| *point).collect() }
    }
}

/// A drawing of some curves.
pub fn svg(title: &str, curves: &[Curve]) -> String {
    let height = (SIDE + 2.0 * MARGIN).max(MARGIN + LINE_HEIGHT * (curves.len() + 2) as f64);
    let width = SIDE + 2.0 * MARGIN + LEGEND_WIDTH;
    let (x, y) = (|part: f64| MARGIN + part * SIDE, |part: f64| MARGIN + (1.0 - part) * SIDE);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" \
         font-size=\"12\">\n<title>{title}</title>\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"{MARGIN}\" y=\"24\" font-size=\"14\">{title}</text>\n"
    );
    // Writing to a string cannot fail.
    for tenth in 0..=5 {
        let part = f64::from(tenth) / 5.0;
        let _ = writeln!(
            text,
            "<path d=\"M{:.1} {:.1}V{:.1}M{:.1} {:.1}H{:.1}\" stroke=\"#ddd\" fill=\"none\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{part}</text>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{part}</text>",
            x(part),
            y(0.0),
            y(1.0),
            x(0.0),
            y(part),
            x(1.0),
            x(part),
            y(0.0) + 16.0,
            x(0.0) - 6.0,
            y(part) + 4.0,
        );
    }
    let _ = writeln!(
        text,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">false positives</text>\
         <text transform=\"translate(14 {:.1}) rotate(-90)\" text-anchor=\"middle\">found</text>",
        x(0.5),
        y(0.0) + 34.0,
        y(0.5)
    );
    for (n, curve) in curves.iter().enumerate() {
        let color = COLORS[n % COLORS.len()];
        let dash = if n < COLORS.len() { "" } else { " stroke-dasharray=\"4 3\"" };
        let points: Vec<_> = curve.points.iter().map(|(a, b)| format!("{:.1},{:.1}", x(*a), y(*b))).collect();
        let line_y = MARGIN + LINE_HEIGHT * (n + 1) as f64;
        let _ = writeln!(
            text,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\"{dash}/>\
             <path d=\"M{:.1} {line_y:.1}h18\" stroke=\"{color}\" stroke-width=\"3\"{dash}/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            points.join(" "),
            x(1.0) + 16.0,
            x(1.0) + 40.0,
            line_y + 4.0,
            curve.label
        );
    }
    text.push_str("</svg>\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_goes_from_nothing_to_everything() {
        let curve = Curve::new("x", &[(0.9, true), (0.5, false), (0.5, true), (0.1, false)]);
        assert_eq!(curve.points, [(0.0, 0.0), (0.0, 0.5), (0.5, 1.0), (1.0, 1.0)]);
        let drawn = svg("found", &[curve]);
        assert!(
            drawn.contains("<polyline points=\"48.0,368.0 48.0,208.0 208.0,48.0 368.0,48.0\""),
            "{drawn}"
        );
    }
}
